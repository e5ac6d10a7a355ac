// The candles of a pair with what a deal did there: a marker for each fill, a line for each price that matters.
import {
  CandlestickSeries,
  ColorType,
  LineStyle,
  createChart,
  createSeriesMarkers,
  type AutoscaleInfo,
  type CandlestickData,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { LIVE, type Values } from "./live.js";

interface Candle { time: number; open: number; high: number; low: number; close: number }
interface Mark { time: number; side: "buy" | "sell"; text: string; price: string }
interface Line { kind: string; price: string; title: string; resting: boolean }
interface Drawing { interval: string; candles: Candle[]; markers: Mark[]; lines: Line[]; reason: string }

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const LINES: Record<string, { role: string; style: LineStyle }> = {
  average: { role: "on-surface-variant", style: LineStyle.Dashed },
  target: { role: "gain", style: LineStyle.Solid },
  stop: { role: "loss", style: LineStyle.Solid },
  trail: { role: "tertiary", style: LineStyle.Dashed },
  safety: { role: "primary", style: LineStyle.Dotted },
};
const REDRAW_MS = 1_000;
const FAR = 1; // times the height of the candles: lines farther away would press these flat

/** Return the colour of a role (`primary`) in the theme that is on. */
function colour(role: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--md-${role}`).trim();
}

/** Return how many seconds a candle of *interval* ("15m") lasts. */
function secondsOf(interval: string): number {
  return Number.parseInt(interval, 10) * (UNITS[interval.slice(-1)] ?? 60);
}

/** Return how many decimals prices of this drawing have. */
function decimals({ candles, lines, markers }: Drawing): number {
  const told = [...lines, ...markers].map(({ price }) => price.split(".")[1]?.length ?? 0);
  const last = candles.at(-1)?.close ?? 1;
  const needed = Math.max(2, 3 - Math.floor(Math.log10(Math.max(last, 1e-8))));
  return Math.min(8, Math.max(2, told.length ? Math.min(Math.max(...told), needed) : needed));
}

/** Return what tells a moment in the user's time zone, which the page names, or else in the browser's. */
function teller(options: Intl.DateTimeFormatOptions): (at: number) => string {
  const timeZone = document.querySelector<HTMLElement>("[data-zone]")?.dataset["zone"];
  const format = new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", ...(timeZone ? { timeZone } : {}), ...options });
  return (at) => format.format(new Date(at * 1_000));
}

class CandleChart {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly marks: ISeriesMarkersPluginApi<Time>;
  private lines: IPriceLine[] = [];
  private drawn: Drawing = { interval: "1m", candles: [], markers: [], lines: [], reason: "" };
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(box: HTMLElement) {
    const whole = teller({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    const clock = teller({ hour: "2-digit", minute: "2-digit" });
    const day = teller({ day: "numeric", month: "short" });
    this.chart = createChart(box, {
      autoSize: true,
      layout: { attributionLogo: false }, // its style element breaks the content security policy; the page has the words
      localization: { timeFormatter: whole },
      timeScale: { timeVisible: true, rightOffset: 4, tickMarkFormatter: (at: number, kind: number) => (kind < 3 ? day : clock)(at) },
      // A page must scroll under a finger or a wheel: the chart moves sideways only, and is no trap.
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { autoscaleInfoProvider: (whole: () => AutoscaleInfo | null) => this.reach(whole()) });
    this.marks = createSeriesMarkers(this.candles, []);
    this.repaint();
  }

  draw(drawn: Drawing): void {
    const isFirst = this.drawn.candles.length === 0;
    this.drawn = drawn;
    const precision = decimals(drawn);
    this.candles.applyOptions({ priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
    this.candles.setData(drawn.candles as CandlestickData[]);
    this.annotate();
    if (isFirst) this.chart.timeScale().fitContent();
  }

  /** Return the range of the candles, and with it the nearest prices at which something happens, unless these are far off. */
  private reach(candles: AutoscaleInfo | null): AutoscaleInfo | null {
    if (!candles?.priceRange) return candles;
    const { minValue, maxValue } = candles.priceRange;
    const next = Math.max(...this.drawn.lines.filter(({ kind }) => kind === "safety").map(({ price }) => Number(price)));
    const told = this.drawn.lines.filter(({ kind }) => kind !== "safety").map(({ price }) => Number(price));
    const far = (maxValue - minValue) * FAR;
    const near = [...told, next].filter((price) => price > minValue - far && price < maxValue + far);
    return { ...candles, priceRange: { minValue: Math.min(minValue, ...near), maxValue: Math.max(maxValue, ...near) } };
  }

  /** Let the last candle follow *price*; a new one begins when its time is over. */
  follow(price: number): void {
    const last = this.drawn.candles.at(-1);
    if (!last || !Number.isFinite(price)) return;
    const length = secondsOf(this.drawn.interval);
    const begin = last.time + Math.max(0, Math.floor((Date.now() / 1_000 - last.time) / length)) * length;
    const [high, low] = begin > last.time ? [last.close, last.close] : [last.high, last.low];
    const open = begin > last.time ? last.close : last.open;
    const candle = { time: begin, open, high: Math.max(high, price), low: Math.min(low, price), close: price };
    if (begin > last.time) this.drawn.candles.push(candle);
    else this.drawn.candles[this.drawn.candles.length - 1] = candle;
    this.candles.update(candle as CandlestickData);
  }

  /** Take the colours of the theme that is on. */
  repaint(): void {
    const [up, down] = [colour("gain"), colour("loss")];
    const label = { labelBackgroundColor: colour("inverse-surface") };
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: "transparent" },
        textColor: colour("on-surface-variant"),
        fontFamily: getComputedStyle(document.body).fontFamily,
      },
      grid: { vertLines: { visible: false }, horzLines: { color: colour("outline-variant") } },
      rightPriceScale: { borderVisible: false },
      timeScale: { borderColor: colour("outline-variant") },
      crosshair: { vertLine: label, horzLine: label },
    });
    // A candle that rose is hollow: up and down are told by more than a colour.
    this.candles.applyOptions({ upColor: colour("surface-container-low"), borderUpColor: up, wickUpColor: up, downColor: down, borderDownColor: down, wickDownColor: down });
    this.annotate();
  }

  /** Fetch again, once for several reasons that come together. */
  later(load: () => Promise<void>): void {
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      void load();
    }, REDRAW_MS);
  }

  private annotate(): void {
    const marks = [...this.drawn.markers].sort((one, other) => one.time - other.time);
    this.marks.setMarkers(
      marks.map(({ time, side, text }): SeriesMarker<Time> => ({
        time: time as UTCTimestamp,
        position: side === "buy" ? "belowBar" : "aboveBar",
        shape: side === "buy" ? "arrowUp" : "arrowDown",
        color: colour(side === "buy" ? "primary" : "tertiary"),
        text,
      })),
    );
    for (const line of this.lines) this.candles.removePriceLine(line);
    // The candles bring the line of the last price themselves.
    this.lines = this.drawn.lines.filter(({ kind }) => kind !== "price").map((it) => this.candles.createPriceLine(this.line(it)));
  }

  private line({ kind, price, title, resting }: Line) {
    const { role, style } = LINES[kind] ?? { role: "outline", style: LineStyle.Dotted };
    const shade = colour(role);
    return {
      price: Number(price),
      title,
      color: shade,
      lineWidth: resting ? (2 as const) : (1 as const),
      lineStyle: style,
      axisLabelVisible: true,
      axisLabelColor: shade,
      axisLabelTextColor: colour("surface"),
    };
  }
}

function say(box: HTMLElement, text: string): void {
  const note = document.createElement("p");
  note.className = "candle-chart__word";
  note.textContent = text;
  box.replaceChildren(note);
}

/** Draw a chart into *box*: from the JSON at its address, and then by what the page's stream says. */
export async function candleChart(box: HTMLElement): Promise<void> {
  const fetched = async (): Promise<Drawing> => {
    const answer = await fetch(box.dataset["candleChart"] ?? "", { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`the chart's address answers ${answer.status}`);
    return (await answer.json()) as Drawing;
  };
  let first: Drawing;
  try {
    first = await fetched();
  } catch {
    return say(box, "The candles cannot be fetched now. Load the page again to try once more.");
  }
  if (first.candles.length === 0) return say(box, `No candles to show: ${first.reason}.`);
  box.replaceChildren();
  const chart = new CandleChart(box);
  chart.draw(first);

  const again = async (): Promise<void> => {
    try {
      chart.draw(await fetched());
    } catch {
      // What is drawn stays; the page's banner tells that the connection is lost.
    }
  };
  const reasons = (box.dataset["chartRefresh"] ?? "").split(" ").filter(Boolean);
  document.addEventListener(LIVE, (event) => {
    const values = (event as CustomEvent<Values>).detail;
    const price = values[box.dataset["chartPrice"] ?? ""]?.value;
    if (price) chart.follow(Number(price));
    if (reasons.some((key) => key in values)) chart.later(again);
  });
  const repaint = (): void => chart.repaint();
  new MutationObserver(repaint).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}
