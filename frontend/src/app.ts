// What every page needs. A page works without it but for the menu of other themes, dialogs and copying.
import "htmx.org";
import { copying } from "./copying.js";
import { dialogs } from "./dialogs.js";
import { scrolling } from "./scrolling.js";
import { snackbars } from "./snackbars.js";
import { theming } from "./theming.js";
import { islands } from "./islands.js";

theming();
islands();
snackbars();
dialogs();
copying();
scrolling();
document.documentElement.dataset["ready"] = "";
