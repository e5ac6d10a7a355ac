// A search field with a list below it: the server renders the list, this moves through it and takes what is chosen.
function optionsOf(field: HTMLElement): HTMLElement[] {
  const list = document.getElementById(field.getAttribute("aria-controls") ?? "");
  return [...(list?.querySelectorAll<HTMLElement>("[role='option']") ?? [])];
}

function open(field: HTMLElement, isOpen: boolean): void {
  field.setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) field.removeAttribute("aria-activedescendant");
  const list = document.getElementById(field.getAttribute("aria-controls") ?? "");
  if (list) list.hidden = !isOpen;
}

function mark(field: HTMLElement, option: HTMLElement | undefined): void {
  for (const it of optionsOf(field)) it.setAttribute("aria-selected", String(it === option));
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function choose(field: HTMLInputElement, option: HTMLElement): void {
  field.value = option.dataset["value"] ?? option.textContent?.trim() ?? "";
  open(field, false);
  field.dispatchEvent(new CustomEvent("chosen", { bubbles: true, detail: field.value }));
}

function pressed(event: KeyboardEvent, field: HTMLInputElement): void {
  const options = optionsOf(field);
  const now = options.findIndex((it) => it.id === field.getAttribute("aria-activedescendant"));
  const chosen = options[now];
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    open(field, true);
    const by = event.key === "ArrowDown" ? 1 : -1;
    mark(field, options[(Math.max(now, by > 0 ? -1 : 0) + by + options.length) % options.length]);
  } else if (event.key === "Enter" && chosen && field.getAttribute("aria-expanded") === "true") {
    event.preventDefault();
    event.stopPropagation();
    choose(field, chosen);
  } else if (event.key === "Escape") {
    open(field, false);
  }
}

const fieldOf = (target: EventTarget | null): HTMLInputElement | null =>
  target instanceof HTMLInputElement && target.getAttribute("role") === "combobox" ? target : null;

export function searching(): void {
  document.addEventListener(
    "keydown",
    (event) => {
      const field = fieldOf(event.target);
      if (field) pressed(event, field);
    },
    true,
  );
  document.addEventListener("input", (event) => {
    const field = fieldOf(event.target);
    if (field) open(field, true);
  });
  document.addEventListener("focusin", (event) => {
    for (const field of document.querySelectorAll<HTMLInputElement>("[role='combobox'][aria-expanded='true']")) {
      if (field !== event.target) open(field, false);
    }
  });
  // Before the field loses the focus to the press.
  document.addEventListener("mousedown", (event) => {
    const option = (event.target as Element).closest<HTMLElement>("[role='option']");
    const list = option?.closest("[role='listbox']");
    const field = fieldOf(list ? document.querySelector(`[aria-controls="${CSS.escape(list.id)}"]`) : null);
    if (!option || !field) return;
    event.preventDefault();
    choose(field, option);
  });
}
