// Copying: a button takes the text of what it names.
const SAID_MS = 2_000;

export function copying(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    const before = button.textContent ?? "";
    button.addEventListener("click", async () => {
      const text = document.querySelector(button.dataset["copy"] ?? "")?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select and copy it";
      }
      setTimeout(() => (button.textContent = before), SAID_MS);
    });
  }
}
