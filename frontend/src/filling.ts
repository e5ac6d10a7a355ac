// Chips that fill several fields of their form at once, by values that the server has written down.
export function filling(): void {
  document.addEventListener("click", (event) => {
    const chip = (event.target as Element).closest<HTMLElement>("[data-fill]");
    const form = chip?.closest("form");
    if (!chip || !form) return;
    event.preventDefault();
    for (const [name, value] of Object.entries(JSON.parse(chip.dataset["fill"] ?? "{}") as Record<string, string>)) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
    }
    for (const it of chip.parentElement?.querySelectorAll("[data-fill]") ?? []) it.removeAttribute("aria-current");
    chip.setAttribute("aria-current", "true");
    chip.dispatchEvent(new CustomEvent("filled", { bubbles: true }));
  });
}
