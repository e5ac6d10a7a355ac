// The one stream of a page: values that change are put where they are shown, and the page says when it is cut off.
//
// A page that is live has a node with data-live-page. The stream sends JSON: by the name of a value its text, with the
// exact value (for <progress>, <data> and charts), the tone or the state where they matter.
export interface Value {
  text?: string;
  value?: string;
  tone?: string;
  state?: string;
}
export type Values = Record<string, Value>;

/** Name of the event on the document that carries the Values of a message. */
export const LIVE = "dca:live";

const SILENCE_MS = 40_000; // the server's heartbeat comes every 15 s
const PATIENCE_MS = 3_000; // shorter breaks are mended before anybody has to be told
const AGAIN_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

function put(node: HTMLElement, value: Value): void {
  if (node instanceof HTMLProgressElement) {
    if (value.value) node.value = Number(value.value);
    return;
  }
  if (value.text !== undefined && node.textContent !== value.text) node.textContent = value.text;
  if (value.value !== undefined && node instanceof HTMLDataElement) node.value = value.value;
  if (value.tone !== undefined && "tone" in node.dataset) node.dataset["tone"] = value.tone;
  if (value.state !== undefined) node.dataset["state"] = value.state;
}

function apply(values: Values): void {
  for (const node of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const value = values[node.dataset["live"] ?? ""];
    if (value) put(node, value);
  }
  document.dispatchEvent(new CustomEvent<Values>(LIVE, { detail: values }));
}

/** Show since when nothing has come; null when all is well. */
function tell(seen: Date | null): void {
  const banner = document.querySelector<HTMLElement>("[data-live-status]");
  if (!banner) return;
  const time = banner.querySelector<HTMLTimeElement>("[data-live-seen]");
  if (seen && time) {
    time.dateTime = seen.toISOString();
    time.textContent = seen.toLocaleTimeString();
  }
  banner.hidden = seen === null;
}

class Stream {
  private source: EventSource | undefined;
  private seen = new Date();
  private failures = 0;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private doubt: ReturnType<typeof setTimeout> | undefined;

  open(): void {
    // A new stream begins with how everything stands: nothing that was missed has to be asked for.
    const source = new EventSource("/events");
    this.source = source;
    source.addEventListener("open", () => this.heard());
    source.addEventListener("heartbeat", () => this.heard());
    source.addEventListener("values", (event) => {
      this.heard();
      apply(JSON.parse((event as MessageEvent<string>).data) as Values);
    });
    source.addEventListener("error", () => this.lost(false));
    this.watch();
  }

  close(): void {
    clearTimeout(this.watchdog);
    clearTimeout(this.doubt);
    this.doubt = undefined;
    this.source?.close();
    this.source = undefined;
  }

  private heard(): void {
    this.seen = new Date();
    this.failures = 0;
    clearTimeout(this.doubt);
    this.doubt = undefined;
    tell(null);
    this.watch();
  }

  private watch(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.lost(true), SILENCE_MS);
  }

  private lost(isSilent: boolean): void {
    this.doubt ??= setTimeout(() => tell(this.seen), isSilent ? 0 : PATIENCE_MS);
    // The browser comes back by itself, unless it has given up (an answer that is no stream) or hangs.
    if (!isSilent && this.source?.readyState !== EventSource.CLOSED) return;
    this.source?.close();
    clearTimeout(this.watchdog);
    const wait = AGAIN_MS[Math.min(this.failures++, AGAIN_MS.length - 1)];
    this.watchdog = setTimeout(() => this.open(), wait);
  }
}

export function live(): void {
  if (!document.querySelector("[data-live-page]")) return;
  const stream = new Stream();
  stream.open();
  // A page that is left keeps no stream, and one that comes back from the browser's cache gets a new one.
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) stream.open();
  });
}
