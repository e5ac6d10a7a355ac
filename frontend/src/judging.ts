// What is wrong with a field comes and goes below it while somebody types: the field itself says so, too.
function judge(said: EventTarget | null): void {
  if (!(said instanceof HTMLElement) || !said.matches(".field__error")) return;
  const field = document.getElementById(said.id.replace(/-error$/, ""));
  if (said.textContent?.trim()) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
}

export function judging(): void {
  document.body.addEventListener("htmx:oobAfterSwap", (event) => judge((event as CustomEvent<{ elt?: EventTarget }>).detail.elt ?? event.target));
}
