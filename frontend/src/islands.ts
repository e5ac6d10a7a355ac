// What parts of pages need: wizards, searches, fields that do more, times, plots.
import htmx from "htmx.org";
import { drawing } from "./drawing.js";
import { fields } from "./fields.js";
import { filling } from "./filling.js";
import { judging } from "./judging.js";
import { menus } from "./menus.js";
import { searching } from "./searching.js";
import { steps } from "./steps.js";
import { localTimes } from "./times.js";

export function islands(): void {
  menus();
  fields();
  filling();
  judging();
  searching();
  const begin = (root: ParentNode): void => {
    localTimes(root);
    steps(root);
    drawing(root);
  };
  begin(document);
  // What htmx brings into a page later is treated as what came with it.
  htmx.onLoad((node) => begin(node.parentElement ?? document));
}
