// The bar at the top is raised while something lies under it.
export function scrolling(): void {
  const bar = document.querySelector<HTMLElement>(".app-bar");
  if (!bar) return;
  const look = (): void => {
    if (scrollY > 4) bar.dataset["scrolled"] = "";
    else delete bar.dataset["scrolled"];
  };
  addEventListener("scroll", look, { passive: true });
  look();
}
