"use strict";
// Extras only: what stands under the pointer, and a button for the other theme. The page is whole without them.
for (const chart of document.querySelectorAll("figure[data-from]")) {
  const plot = chart.querySelector(".plot"), hover = chart.querySelector(".hover"), readout = chart.querySelector(".readout");
  const from = Number(chart.dataset.from), to = Number(chart.dataset.to);
  const low = Number(chart.dataset.low), high = Number(chart.dataset.high), places = Number(chart.dataset.places);
  const figures = new Intl.NumberFormat("en", chart.dataset.log === "1"
    ? { maximumSignificantDigits: 4 } : { minimumFractionDigits: places, maximumFractionDigits: places });
  let lines = null;
  const read = () => [...chart.querySelectorAll("path[data-name]")].map((path) => {
    const numbers = path.getAttribute("d").match(/-?\d+/g).map(Number);
    return { name: path.dataset.name, numbers };
  });
  const level = (y) => {
    const share = 1 - y / 10000;
    return chart.dataset.log === "1" ? low * (high / low) ** share : low + (high - low) * share;
  };
  const nearest = (numbers, x) => {
    let first = 0, last = numbers.length / 2 - 1;
    while (last - first > 1) {
      const middle = (first + last) >> 1;
      if (numbers[2 * middle] <= x) { first = middle; } else { last = middle; }
    }
    return x - numbers[2 * first] <= numbers[2 * last] - x ? first : last;
  };
  plot.addEventListener("pointermove", (event) => {
    lines ??= read();
    const box = plot.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const at = nearest(lines[0].numbers, share * 10000);
    const x = lines[0].numbers[2 * at];
    const time = new Date(from + (to - from) * x / 10000).toISOString().slice(0, 16).replace("T", " ");
    const words = lines.map(({ name, numbers }) => `${name} ${figures.format(level(numbers[2 * nearest(numbers, x) + 1]))}`);
    readout.textContent = `about ${time} UTC: ${words.join(", ")} ${chart.dataset.unit}`;
    hover.hidden = false;
    hover.style.left = `${x / 100}%`;
  });
  plot.addEventListener("pointerleave", () => { hover.hidden = true; readout.textContent = ""; });
}
{
  const root = document.documentElement, button = document.createElement("button");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const say = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.type = "button";
  button.className = "theme";
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; say(); });
  button.setAttribute("aria-label", "Switch between light and dark");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", say);
  say();
  document.querySelector("header").append(button);
}
