// Short words at the bottom of the page: the server's own, in the page already, and those that answers bring.
//
// An answer says them by its header HX-Trigger: {"snackbar": {"text", "kind", "undo"?}}; `undo` is an address to post to.
import htmx from "htmx.org";

const SHOWN_MS = 6_000;
const SHOWN_WITH_ACTION_MS = 10_000;
const LEAVES_MS = 300;

interface Said { text?: string; kind?: string; undo?: string }

function leave(bar: HTMLElement): void {
  bar.dataset["leaving"] = "";
  setTimeout(() => bar.remove(), LEAVES_MS);
}

/** Let *bar* go after a while, but not from under a pointer or the focus. */
function expire(bar: HTMLElement, after: number): void {
  setTimeout(() => (bar.matches(":hover, :focus-within") ? expire(bar, after) : leave(bar)), after);
}

function show({ text, kind, undo }: Said): void {
  const bar = document.createElement("div");
  bar.className = `snackbar snackbar--${kind === "error" ? "error" : "info"}`;
  bar.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo) {
    const button = Object.assign(document.createElement("button"), { className: "snackbar__action", type: "button", textContent: "Undo" });
    button.addEventListener("click", () => {
      leave(bar);
      void htmx.ajax("post", undo, { source: document.body, swap: "none" });
    });
    bar.append(button);
  }
  document.querySelector("#snackbars")?.append(bar);
  expire(bar, undo ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
}

export function snackbars(): void {
  for (const bar of document.querySelectorAll<HTMLElement>("[data-snackbar]")) expire(bar, SHOWN_MS);
  document.body.addEventListener("snackbar", (event) => {
    const said = (event as CustomEvent<Said>).detail;
    if (said.text) show(said);
  });
  const failed = (): void => show({ text: "That did not get through. Look at your connection, and try again.", kind: "error" });
  document.body.addEventListener("htmx:sendError", failed);
  document.body.addEventListener("htmx:timeout", failed);
}
