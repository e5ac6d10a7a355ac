// Plots of analytics and backtests: lines, bars, a histogram; the table beside it says the same to everybody.
import uPlot from "uplot";
import { faded, paint, whenRepainted, type Paint } from "./paint.js";
import { teller } from "./times.js";

interface Series { label: string; values: (number | null)[]; tone?: string; kind?: "line" | "area" | "bars" }
interface Drawing {
  /** Seconds since 1970 when `time` is true, else what `labels` names by its index. */
  x: number[];
  time?: boolean;
  labels?: string[];
  unit?: string;
  digits?: number;
  series: Series[];
}

const HEIGHT = 260;
/** A line over less than three days has hours on its axis. */
const SHORT_S = 3 * 86_400;
const TONES = ["primary", "tertiary", "secondary", "warning"];

function number(digits: number): (value: number) => string {
  const format = new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => format.format(value);
}

/** Return the plug-in that shows the values under the pointer. */
function tooltip(drawn: Drawing, named: (x: number, index: number) => string): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = "plot-tip";
  box.hidden = true;
  const tell = number(drawn.digits ?? 2);
  return {
    hooks: {
      init: (plot) => void plot.over.append(box),
      setCursor: (plot) => {
        const { idx, left = 0, top = 0 } = plot.cursor;
        box.hidden = idx === null || idx === undefined || left < 0;
        if (box.hidden || idx === null || idx === undefined) return;
        const lines = drawn.series.map(({ label, values }) => {
          const value = values[idx];
          return `${label}: ${value === null || value === undefined ? "–" : tell(value)}${drawn.unit ? ` ${drawn.unit}` : ""}`;
        });
        box.replaceChildren(...[named(drawn.x[idx] ?? 0, idx), ...lines].map((text) => Object.assign(document.createElement("div"), { textContent: text })));
        const isRight = left > plot.over.clientWidth / 2;
        box.style.left = `${isRight ? left - box.offsetWidth - 12 : left + 12}px`;
        box.style.top = `${Math.min(Math.max(0, top - box.offsetHeight / 2), plot.over.clientHeight - box.offsetHeight)}px`;
      },
    },
  };
}

function seriesOf(it: Series, index: number, colour: Paint): uPlot.Series {
  const stroke = colour(it.tone ?? TONES[index % TONES.length] ?? "primary");
  if (it.kind === "bars") {
    const bars = uPlot.paths.bars?.({ size: [0.7, 48], radius: 0.1 });
    const signed = (plot: uPlot): CanvasGradient | string => split(plot, colour("gain"), colour("loss"));
    const fill = it.tone ? stroke : signed;
    return { label: it.label, fill, stroke: fill, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) };
  }
  const area = it.kind === "area" ? { fill: faded(stroke, 0.14) } : {};
  return { label: it.label, stroke, width: 2, points: { show: false }, ...area };
}

/** Return a fill that is one colour above zero and the other below. */
function split(plot: uPlot, above: string, below: string): CanvasGradient | string {
  const { top, height } = plot.bbox;
  const zero = plot.valToPos(0, "y", true);
  const part = Math.min(1, Math.max(0, (zero - top) / height));
  if (!Number.isFinite(part)) return above;
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  for (const [at, colour] of [[0, above], [part, above], [part, below], [1, below]] as const) gradient.addColorStop(at, colour);
  return gradient;
}

function optionsOf(drawn: Drawing, width: number, colour: Paint): uPlot.Options {
  const isShort = (drawn.x.at(-1) ?? 0) - (drawn.x[0] ?? 0) < SHORT_S && drawn.series.every(({ kind }) => kind !== "bars");
  const clock = isShort ? ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const) : {};
  const day = teller({ day: "numeric", month: "short", ...clock });
  const full = teller({ day: "numeric", month: "short", year: "numeric", ...clock });
  const named = (x: number, index: number): string => (drawn.time ? full(new Date(x * 1_000)) : (drawn.labels?.[index] ?? String(x)));
  const axis: uPlot.Axis = {
    stroke: colour("on-surface-variant"),
    grid: { stroke: faded(colour("outline-variant"), 0.5), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
  };
  const hasBars = drawn.series.some(({ kind }) => kind === "bars");
  const count = drawn.x.length;
  // Half a bar's room on either side, or the outer ones are cut.
  const around = drawn.time ? ((drawn.x.at(-1) ?? 0) - (drawn.x[0] ?? 0)) / Math.max(1, count - 1) / 2 || 43_200 : 0.6;
  const few = number(Math.min(drawn.digits ?? 2, 2));
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
    scales: {
      x: { time: drawn.time ?? false, ...(hasBars ? { range: (_plot, low, high) => [low - around, high + around] } : {}) },
      // Bars stand on zero; a line uses the height it has.
      y: { range: (_plot, low, high) => (hasBars ? uPlot.rangeNum(Math.min(low, 0), Math.max(high, 0), 0.1, true) : uPlot.rangeNum(low, high, 0.1, false)) },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 32,
        values: (_plot, splits) => splits.map((at) => (drawn.time ? day(new Date(at * 1_000)) : (drawn.labels?.[at] ?? ""))),
        ...(drawn.time ? {} : { incrs: [1, 2, 5, 10, 20, 50, 100] }),
      },
      { ...axis, size: 64, values: (_plot, splits) => splits.map((it) => few(it)) },
    ],
    series: [{}, ...drawn.series.map((it, index) => seriesOf(it, index, colour))],
    plugins: [tooltip(drawn, named)],
  };
}

async function drawingOf(box: HTMLElement): Promise<Drawing> {
  const from = box.dataset["plot"] ?? "";
  if (from.startsWith("#")) return JSON.parse(document.querySelector(from)?.textContent ?? "{}") as Drawing;
  const answer = await fetch(from, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`the plot's address answers ${answer.status}`);
  return (await answer.json()) as Drawing;
}

/** Write what is drawn into the table that stands beside *box*, if the page left one empty for it. */
function tabulate(box: HTMLElement, drawn: Drawing): void {
  const table = box.parentElement?.querySelector<HTMLTableElement>("table[data-plot-table]");
  if (!table || table.rows.length) return;
  const full = teller({ day: "numeric", month: "short", year: "numeric" });
  const tell = number(drawn.digits ?? 2);
  const head = table.createTHead().insertRow();
  for (const [index, text] of [drawn.time ? "Date" : "", ...drawn.series.map(({ label }) => label)].entries()) {
    const cell = Object.assign(document.createElement(text ? "th" : "td"), { textContent: text, className: index ? "num" : "" });
    if (text) cell.setAttribute("scope", "col");
    head.append(cell);
  }
  const body = table.createTBody();
  drawn.x.forEach((x, index) => {
    const row = body.insertRow();
    const name = drawn.time ? full(new Date(x * 1_000)) : (drawn.labels?.[index] ?? String(x));
    const first = Object.assign(document.createElement("th"), { textContent: name });
    first.setAttribute("scope", "row");
    row.append(first);
    for (const { values } of drawn.series) {
      const value = values[index];
      row.append(Object.assign(document.createElement("td"), { className: "num", textContent: value === null || value === undefined ? "–" : tell(value) }));
    }
  });
}

/** Draw a plot into *box*, from the JSON at its address or in the script element that `data-plot` names ("#id"). */
export async function plot(box: HTMLElement): Promise<void> {
  let drawn: Drawing;
  try {
    drawn = await drawingOf(box);
  } catch {
    box.textContent = "The numbers cannot be fetched now. Load the page again to try once more.";
    return;
  }
  tabulate(box, drawn);
  if (!drawn.x.length) {
    box.textContent = "There is nothing to draw yet.";
    box.dataset["chartState"] = "empty";
    return;
  }
  let made: uPlot | undefined;
  const draw = (): void => {
    made?.destroy();
    const data = [drawn.x, ...drawn.series.map(({ values }) => values)] as uPlot.AlignedData;
    made = new uPlot(optionsOf(drawn, box.clientWidth, paint()), data, box);
  };
  box.replaceChildren();
  draw();
  const unpaint = whenRepainted(draw);
  const size = new ResizeObserver(() => {
    if (box.isConnected) made?.setSize({ width: box.clientWidth, height: HEIGHT });
    else {
      size.disconnect();
      unpaint();
      made?.destroy();
    }
  });
  size.observe(box);
  box.dataset["chartState"] = "drawn";
}
