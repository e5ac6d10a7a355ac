// Copying: a button takes the text of what it names.
const SAID_MS = 2_000;

async function copy(button: HTMLElement): Promise<void> {
  const before = button.textContent ?? "";
  const text = document.querySelector(button.dataset["copy"] ?? "")?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy it";
  }
  setTimeout(() => (button.textContent = before), SAID_MS);
}

export function copying(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (button && button.dataset["copying"] === undefined) {
      button.dataset["copying"] = "";
      void copy(button).finally(() => setTimeout(() => delete button.dataset["copying"], SAID_MS));
    }
  });
}
