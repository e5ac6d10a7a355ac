// Plots, whose code is fetched only by the pages that have some.
const begun = new WeakSet<Element>();

export function drawing(root: ParentNode): void {
  const fresh = [...root.querySelectorAll<HTMLElement>("[data-plot]")].filter((box) => !begun.has(box));
  if (!fresh.length) return;
  for (const box of fresh) begun.add(box);
  void import("./plot.js").then(({ plot }) => fresh.forEach((box) => void plot(box)));
}
