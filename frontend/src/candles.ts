// Charts of candles are fetched only by the pages that have some.
export function candles(): void {
  const boxes = document.querySelectorAll<HTMLElement>("[data-candle-chart]");
  if (boxes.length) void import("./chart.js").then(({ candleChart }) => boxes.forEach((box) => void candleChart(box)));
}
