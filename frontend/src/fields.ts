// Fields that do a little more: a password that can be looked at, a word that has to be typed, a slider that says its value.
function reveal(button: HTMLElement): void {
  const input = button.parentElement?.querySelector("input");
  if (!input) return;
  const isShown = input.type === "password";
  input.type = isShown ? "text" : "password";
  button.setAttribute("aria-pressed", String(isShown));
}

function compare(input: HTMLInputElement): void {
  const button = input.form?.querySelector<HTMLButtonElement>("[type='submit']");
  if (button) button.disabled = input.value.trim() !== input.dataset["confirmWord"];
}

function tell(input: HTMLInputElement): void {
  const output = input.parentElement?.querySelector("output");
  if (output) output.textContent = `${input.value}${input.dataset["unit"] ?? ""}`;
}

export function fields(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-reveal]");
    if (button) reveal(button);
  });
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement)) return;
    if ("confirmWord" in input.dataset) compare(input);
    if (input.type === "range") tell(input);
  });
  for (const input of document.querySelectorAll<HTMLInputElement>("[data-confirm-word]")) compare(input);
}
