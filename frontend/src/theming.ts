// The theme: kept in a cookie, so that the server renders a page in it and nothing flashes.
const YEAR_S = 365 * 86_400;
type Theme = "system" | "light" | "dark";

function choose(theme: Theme): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  for (const button of document.querySelectorAll<HTMLElement>("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset["themeChoice"] === theme));
  }
}

export function theming(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-theme-choice]")) {
    button.addEventListener("click", () => {
      choose(button.dataset["themeChoice"] as Theme);
      button.closest<HTMLElement>("[popover]")?.hidePopover();
    });
  }
}
