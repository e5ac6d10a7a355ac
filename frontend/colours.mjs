// The colour roles of Material Design 3, computed from one seed, as CSS variables.
import { Hct, MaterialDynamicColors, SchemeTonalSpot, TonalPalette, argbFromHex, hexFromArgb } from "@material/material-color-utilities";

const SEED = "#009688";
const ROLES = [
  "primary", "onPrimary", "primaryContainer", "onPrimaryContainer", "inversePrimary",
  "secondary", "onSecondary", "secondaryContainer", "onSecondaryContainer",
  "tertiary", "onTertiary", "tertiaryContainer", "onTertiaryContainer",
  "error", "onError", "errorContainer", "onErrorContainer",
  "surface", "surfaceDim", "surfaceBright", "surfaceContainerLowest", "surfaceContainerLow", "surfaceContainer",
  "surfaceContainerHigh", "surfaceContainerHighest", "onSurface", "onSurfaceVariant", "outline", "outlineVariant",
  "inverseSurface", "inverseOnSurface", "scrim", "shadow",
];

// What Material has no role for. The tones keep 4.5:1 on every surface on which the text may stand.
const OWN = { gain: "#1b8a4b", loss: "#c62828", warning: "#b26a00" };
const TONES = {
  light: { "": 35, "Container": 90, "on.Container": 10 },
  dark: { "": 80, "Container": 30, "on.Container": 90 },
};
// In the dark a loss at tone 80 looks like a pale pink that says nothing; 75 is still legible.
const EXCEPTIONS = { light: { loss: 40 }, dark: { loss: 75 } };

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const upper = (name) => name[0].toUpperCase() + name.slice(1);

function* own(mode) {
  for (const [name, hex] of Object.entries(OWN)) {
    const palette = TonalPalette.fromInt(argbFromHex(hex));
    for (const [part, tone] of Object.entries(TONES[mode])) {
      const role = part.startsWith("on.") ? `on${upper(name)}${part.slice(3)}` : `${name}${part}`;
      yield [role, palette.tone((part === "" && EXCEPTIONS[mode][name]) || tone)];
    }
  }
}

function declarations(mode) {
  const scheme = new SchemeTonalSpot(Hct.fromInt(argbFromHex(SEED)), mode === "dark", 0);
  const material = ROLES.map((role) => [role, MaterialDynamicColors[role].getArgb(scheme)]);
  const colours = [...material, ...own(mode)].map(([role, argb]) => `--md-${kebab(role)}:${hexFromArgb(argb)};`);
  return `color-scheme:${mode};${colours.join("")}`;
}

/** Return the variables for light, for dark, and for what the system prefers as long as the page names neither. */
export function colourRoles() {
  return [
    `:root{${declarations("light")}}`,
    `[data-theme="dark"]{${declarations("dark")}}`,
    `@media (prefers-color-scheme:dark){:root:not([data-theme="light"]){${declarations("dark")}}}`,
  ].join("\n");
}
