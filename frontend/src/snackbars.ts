// Short words at the bottom of the page: the server's own, in the page already, and those that answers bring.
const SHOWN_MS = 6_000;
const LEAVES_MS = 300;

function leave(bar: HTMLElement): void {
  bar.dataset["leaving"] = "";
  setTimeout(() => bar.remove(), LEAVES_MS);
}

function show(text: string, kind: string): void {
  const bar = document.createElement("div");
  bar.className = `snackbar snackbar--${kind === "error" ? "error" : "info"}`;
  bar.textContent = text;
  document.querySelector("#snackbars")?.append(bar);
  setTimeout(leave, SHOWN_MS, bar);
}

export function snackbars(): void {
  for (const bar of document.querySelectorAll<HTMLElement>("[data-snackbar]")) setTimeout(leave, SHOWN_MS, bar);
  document.body.addEventListener("snackbar", (event) => {
    const { text, kind } = (event as CustomEvent<{ text?: string; kind?: string }>).detail;
    if (text) show(text, kind ?? "info");
  });
}
