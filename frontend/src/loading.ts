// Parts that come after their page: what waits for its first content is busy until it is there, or says that it is not.

interface Answered {
  elt: Element;
  successful: boolean;
}

export function loading(): void {
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful } = (event as CustomEvent<Answered>).detail;
    if (elt.getAttribute("aria-busy") !== "true") return;
    elt.removeAttribute("aria-busy");
    if (successful) return;
    const told = document.createElement("p");
    told.className = "quiet";
    told.textContent = "This could not be loaded. Load the page again to try once more.";
    elt.replaceChildren(told);
  });
}
