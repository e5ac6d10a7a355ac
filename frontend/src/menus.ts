// Menus open beside the button that opens them, and close when something in them was chosen.
const GAP = 4;
const EDGE = 8;

function place(menu: HTMLElement): void {
  const opener = document.querySelector<HTMLElement>(`[popovertarget="${CSS.escape(menu.id)}"]`);
  if (!opener) return;
  const at = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.min(Math.max(EDGE, at.right - width), innerWidth - width - EDGE);
  const below = at.bottom + GAP;
  const top = below + height > innerHeight - EDGE ? Math.max(EDGE, at.top - height - GAP) : below;
  // Whatever the style sheet says of a browser that can do this by itself.
  menu.style.position = "fixed";
  menu.style.setProperty("position-area", "none");
  menu.style.inset = `${top}px auto auto ${left}px`;
}

function step(menu: HTMLElement, by: number | "first" | "last"): void {
  const items = [...menu.querySelectorAll<HTMLElement>(".menu__item")];
  const now = items.indexOf(document.activeElement as HTMLElement);
  const next = by === "first" ? 0 : by === "last" ? items.length - 1 : (now + by + items.length) % items.length;
  items[next]?.focus();
}

const KEYS: Record<string, number | "first" | "last"> = { ArrowDown: 1, ArrowUp: -1, Home: "first", End: "last" };

export function menus(): void {
  // `toggle` does not bubble, but it can be caught on its way down.
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (menu instanceof HTMLElement && menu.matches(".menu[popover]:popover-open")) place(menu);
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    const target = event.target as Element;
    const opened = target.closest<HTMLElement>(".menu:popover-open");
    const opener = target.closest<HTMLElement>("[popovertarget]");
    const menu = opened ?? document.querySelector<HTMLElement>(`#${CSS.escape(opener?.getAttribute("popovertarget") ?? "-")}:popover-open`);
    const by = KEYS[event.key];
    if (!menu || by === undefined) return;
    event.preventDefault();
    step(menu, by);
  });
  document.addEventListener("click", (event) => {
    const item = (event.target as Element).closest(".menu__item");
    item?.closest<HTMLElement>(".menu:popover-open")?.hidePopover();
  });
  addEventListener("resize", () => {
    for (const menu of document.querySelectorAll<HTMLElement>(".menu:popover-open")) place(menu);
  });
}
