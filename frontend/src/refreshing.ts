// Parts of a page that are asked for again when what they were made from is not so any more.
//
// data-refresh-on holds JSON: by the name of a live value what it was when the part was made. The part itself says by
// hx-get, with the trigger `refresh`, from where it comes.
import htmx from "htmx.org";
import { LIVE, type Values } from "./live.js";

const AGAIN_MS = 1_000;
const waiting = new Set<HTMLElement>();

/** Somebody is in the middle of something there. */
function isBusy(part: HTMLElement): boolean {
  return part.contains(document.activeElement) || document.querySelector("main dialog[open], main :popover-open, .page__actions :popover-open") !== null;
}

function isOld(part: HTMLElement, values: Values): boolean {
  const made = JSON.parse(part.dataset["refreshOn"] ?? "{}") as Record<string, string>;
  return Object.entries(made).some(([name, was]) => {
    const now = values[name];
    return now !== undefined && (now.state ?? now.text) !== was;
  });
}

function refresh(): void {
  for (const part of waiting) {
    if (part.isConnected && isBusy(part)) continue;
    waiting.delete(part);
    if (part.isConnected) htmx.trigger(part, "refresh");
  }
  if (waiting.size) setTimeout(refresh, AGAIN_MS);
}

export function refreshing(): void {
  document.addEventListener(LIVE, (event) => {
    const values = (event as CustomEvent<Values>).detail;
    const was = waiting.size;
    for (const part of document.querySelectorAll<HTMLElement>("[data-refresh-on]")) if (isOld(part, values)) waiting.add(part);
    if (waiting.size && !was) setTimeout(refresh, AGAIN_MS);
  });
}
