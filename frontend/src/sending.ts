// A form that is on its way is not sent a second time: a double click is one answer, and buys once.
const PATIENCE_MS = 10_000; // an answer that is a file leaves the page where it is, and so may a server that is away

function isOnItsWay(form: HTMLFormElement): boolean {
  return form.dataset["sent"] !== undefined && Date.now() - Number(form.dataset["sent"]) < PATIENCE_MS;
}

export function sending(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post" || event.defaultPrevented) return;
    if (isOnItsWay(form)) event.preventDefault();
    else form.dataset["sent"] = String(Date.now());
  });
  // What comes back from the browser's cache may be sent anew.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) delete form.dataset["sent"];
  });
}
