// Colours of the page for what is drawn on a canvas, and when they change.
export type Paint = (role: string) => string;

/** Return what reads a colour role (`primary`) of the theme that is on. */
export function paint(): Paint {
  const style = getComputedStyle(document.documentElement);
  return (role) => style.getPropertyValue(`--md-${role}`).trim();
}

/** Return *colour*, a role's six hexadecimal digits, with that much of it let through. */
export function faded(colour: string, opacity: number): string {
  return `${colour}${Math.round(opacity * 255).toString(16).padStart(2, "0")}`;
}

/** Call *repaint* whenever the theme changes, by the button or by the system. Return what ends that. */
export function whenRepainted(repaint: () => void): () => void {
  const watcher = new MutationObserver(repaint);
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", repaint);
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", repaint);
  };
}
