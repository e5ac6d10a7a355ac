// One SVG file with the icons that src/icons.txt names; a page shows one by <use href="icons.svg#name">.
import { icons } from "@iconify-json/material-symbols";

function symbol(name) {
  const icon = icons.icons[name] ?? icons.icons[icons.aliases?.[name]?.parent];
  if (!icon) throw new Error(`src/icons.txt: Material Symbols has no icon ${name}`);
  const { width = icons.width ?? 24, height = icons.height ?? 24, body } = icon;
  return `<symbol id="${name}" viewBox="0 0 ${width} ${height}">${body}</symbol>`;
}

/** Return the sprite for a list of names, one a line. */
export function sprite(list) {
  const names = [...new Set(list.split("\n").map((line) => line.trim()).filter(Boolean))].sort();
  return `<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join("")}</svg>\n`;
}
