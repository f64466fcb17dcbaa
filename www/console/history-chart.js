// The chart of a tenant's days: a bar for each, in SVG.

import { el } from "../page/dom.js";
import { number } from "../page/format.js";
import { scale, summarize } from "./history-data.js";
import { svg } from "./svg.js";

/**
 * Draws into `box`, and again whenever its width changes. Returns `show(days)` and `clear()`. Under the pointer, a day
 * shows its units; the table below the chart has the same for everybody else.
 */
export function historyChart(box) {
  const readout = el("p", { class: "readout", "aria-hidden": "true" });
  let days = [];
  let width = 0;

  const draw = () => {
    if (days.length === 0 || width === 0) return;
    const lines = scale(Math.max(...days.map(({ units }) => units)));
    const [plotWidth, plotHeight] = [width - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
    const step = plotWidth / days.length;
    const x = (index) => LEFT + index * step;
    const y = (units) => TOP + plotHeight * (1 - units / lines.at(-1));
    const text = (attributes, content) => svg("text", attributes, content);

    const grid = lines.flatMap((units) => [
      svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: Math.round(y(units)) + 0.5, y2: Math.round(y(units)) + 0.5 }),
      text({ x: LEFT - 6, y: y(units) + 4, "text-anchor": "end" }, compact.format(units)),
    ]);
    const months = days.flatMap(({ day }, index) => (day.endsWith("-01") ? [text({ x: x(index), y: HEIGHT - 5 }, month.format(Date.parse(day)))] : []));
    const bars = days.map(({ units }, index) => {
      // A day with any usage is visible.
      const height = units === 0 ? 0 : Math.max(1.5, y(0) - y(units));
      return svg("rect", { class: index === days.length - 1 ? "bar today" : "bar", x: x(index) + step * 0.1, y: y(0) - height, width: step * 0.8, height });
    });
    const cursor = svg("rect", { class: "cursor", x: 0, y: TOP, width: step, height: plotHeight, visibility: "hidden" });
    const image = svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": describe(days) }, ...grid, cursor, ...bars, ...months);

    image.addEventListener("pointermove", ({ offsetX }) => {
      const index = Math.min(days.length - 1, Math.max(0, Math.floor((offsetX - LEFT) / step)));
      cursor.setAttribute("x", String(x(index)));
      cursor.setAttribute("visibility", "visible");
      show(days[index]);
    });
    image.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      show(days.at(-1));
    });
    box.replaceChildren(readout, image);
    show(days.at(-1));
  };
  const show = ({ day, units }) => {
    readout.textContent = `${day}${day === days.at(-1).day ? " (today, so far)" : ""}: ${number(units)}`;
  };
  new ResizeObserver(([entry]) => {
    width = Math.floor(entry.contentRect.width);
    draw();
  }).observe(box);

  return {
    show(shown) {
      days = shown;
      draw();
    },
    clear() {
      days = [];
      box.replaceChildren();
    },
  };
}

function describe(days) {
  const { total, peak } = summarize(days);
  const most = peak === null ? "" : ` The most on a day: ${number(peak.units)}, on ${peak.day}.`;
  return `Units per day from ${days[0].day} to ${days.at(-1).day}: ${number(total)} in total before today.${most}`;
}

const compact = new Intl.NumberFormat("en", { notation: "compact" });
const month = new Intl.DateTimeFormat("en", { month: "short", timeZone: "UTC" });
// In pixels.
const HEIGHT = 180;
const TOP = 8;
const BOTTOM = 22;
const LEFT = 44;
const RIGHT = 2;
