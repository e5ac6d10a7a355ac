// A form in steps. All of it is one form on one page, so nothing is lost between them; without script all steps show.
class Steps {
  private readonly steps: HTMLElement[];
  private readonly marks: HTMLElement[];

  constructor(private readonly root: HTMLElement) {
    this.steps = [...root.querySelectorAll<HTMLElement>("[data-step]")];
    this.marks = [...root.querySelectorAll<HTMLElement>("[data-step-mark]")];
    root.dataset["stepping"] = "";
    const wrong = this.steps.findIndex((step) => step.querySelector(".field--wrong, .field__error:not(:empty), [aria-invalid='true']"));
    const named = this.steps.findIndex((step) => step.dataset["step"] === root.dataset["steps"]);
    this.show(Math.max(wrong, 0) || Math.max(named, 0), false);
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("keydown", (event) => this.pressed(event));
  }

  private get now(): number {
    return this.steps.findIndex((step) => !step.hidden);
  }

  private clicked(event: Event): void {
    const target = event.target as Element;
    const mark = target.closest<HTMLElement>("[data-step-mark]");
    if (target.closest("[data-step-next]")) this.go(this.now + 1);
    else if (target.closest("[data-step-back]")) this.go(this.now - 1);
    else if (mark) this.go(this.marks.indexOf(mark));
  }

  // Enter in a field goes on to the next step; it sends the form only from the last one.
  private pressed(event: KeyboardEvent): void {
    const field = event.target;
    if (event.key !== "Enter" || !(field instanceof HTMLInputElement) || this.now === this.steps.length - 1) return;
    event.preventDefault();
    if (field.type !== "search") this.go(this.now + 1);
  }

  private go(to: number): void {
    const from = this.now;
    for (let index = from; index < to; index++) {
      if (this.isFilled(index)) continue;
      if (index !== from) this.show(index, true);
      this.isFilled(index, true);
      return;
    }
    this.show(to, true);
  }

  private isFilled(index: number, tell = false): boolean {
    const fields = [...(this.steps[index]?.querySelectorAll<HTMLInputElement>("input, select, textarea") ?? [])];
    const wrong = fields.find((field) => !field.checkValidity());
    if (wrong && tell) wrong.reportValidity();
    return !wrong;
  }

  private show(to: number, focus: boolean): void {
    const step = this.steps[to];
    if (!step) return;
    this.steps.forEach((it, index) => (it.hidden = index !== to));
    this.marks.forEach((mark, index) => {
      if (index === to) mark.setAttribute("aria-current", "step");
      else mark.removeAttribute("aria-current");
      mark.dataset["done"] = String(index < to);
    });
    step.dispatchEvent(new CustomEvent("step-shown", { bubbles: true }));
    if (!focus) return;
    const heading = step.querySelector<HTMLElement>("h2, h3");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
    this.root.scrollIntoView({ block: "start" });
  }
}

const begun = new WeakSet<Element>();

export function steps(root: ParentNode): void {
  for (const node of root.querySelectorAll<HTMLElement>("[data-steps]")) {
    if (begun.has(node)) continue;
    begun.add(node);
    new Steps(node);
  }
}
