// What every page needs. A page works without it but for the menu of other themes, dialogs and copying.
import "htmx.org";
import { candles } from "./candles.js";
import { copying } from "./copying.js";
import { dialogs } from "./dialogs.js";
import { live } from "./live.js";
import { loading } from "./loading.js";
import { refreshing } from "./refreshing.js";
import { scrolling } from "./scrolling.js";
import { sending } from "./sending.js";
import { snackbars } from "./snackbars.js";
import { theming } from "./theming.js";
import { islands } from "./islands.js";

theming();
islands();
snackbars();
dialogs();
copying();
scrolling();
refreshing();
sending();
loading();
candles();
live();
document.documentElement.dataset["ready"] = "";
