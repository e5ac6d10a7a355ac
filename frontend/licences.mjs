// The licences of everything that ends up in the bundle, as their terms ask for.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const BUNDLED = [
  "htmx.org", "lightweight-charts", "fancy-canvas", "uplot", "@fontsource-variable/roboto", "@iconify-json/material-symbols",
];
const NOTES = {
  "@iconify-json/material-symbols": "Material Symbols by Google, under the Apache License 2.0 printed with lightweight-charts.",
  "fancy-canvas": "MIT License, the terms printed with uplot.",
};

function entry(modules, name) {
  const folder = join(modules, name);
  const { version, license, author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const by = typeof author === "object" ? author.name : author;
  const text = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((file) => join(folder, file)).find(existsSync);
  if (!text && !NOTES[name]) throw new Error(`${name} brings no text of its licence`);
  const terms = text ? readFileSync(text, "utf8").trim() : NOTES[name];
  return `${name} ${version} (${license})${by ? ` by ${by}` : ""}\n\n${terms}\n`;
}

/** Return the text of licenses.txt. */
export function licences(modules) {
  return BUNDLED.map((name) => entry(modules, name)).join(`\n${"-".repeat(80)}\n\n`);
}
