// The picture of quota over time: what each answer said was left, as dots and a line of steps, and one
// mark an answer above. Between two answers nothing is known: the line holds the last word.

import uPlot from "uplot";
import { byId } from "./dom.js";
import { span } from "./chart-data.js";
import { number } from "./format.js";

const LANES = ["allowed", "refused", "failed"];
const LANE = 13;
const HEIGHT = 232;
// Quota comes in whole units: no tick between them.
const WHOLE = Array.from({ length: 15 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/** Draws into #plot. `onPick(answer)` is called for a click on the picture. */
export function chart({ onPick }) {
  const host = byId("plot");
  let plot = null;
  let drawn = "";
  let series = null;
  let planned = 0;
  let chosen = null;

  const build = (data) => {
    plot?.destroy();
    plot = new uPlot(options(), data, host);
  };
  const options = () => {
    const ink = palette(host);
    const axis = { stroke: ink.soft, font: ink.font, grid: { stroke: ink.line, width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(200, host.clientWidth),
      height: HEIGHT,
      padding: [LANE * LANES.length + 10, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { time: false, range: () => [0, span(planned, series.answers.at(-1)?.at)] },
        y: { range: () => [0, series.top * 1.04] },
      },
      axes: [
        { ...axis, size: 32, gap: 8, values: (_, ticks) => ticks.map((tick) => `${Number(tick.toFixed(2))} s`) },
        { ...axis, size: 58, incrs: WHOLE, values: (_, ticks) => ticks.map(quota) },
      ],
      series: [{}, ...[dots, line].flatMap((shape) => series.limits.map((_, index) => shape(ink.limits[index % ink.limits.length])))],
      hooks: { draw: [(u) => drawMarks(u, series.answers, chosen, ink)] },
    };
  };
  const quota = (tick) => {
    if (series.limits.length === 0) return "";
    return series.unit === "percent" ? `${tick} %` : number(tick);
  };
  const redraw = () => {
    if (series === null) return;
    const data = series.columns();
    const shape = `${series.limits.map(({ name }) => name).join()} ${series.unit}`;
    if (plot === null || shape !== drawn) build(data);
    else plot.setData(data);
    drawn = shape;
  };
  const restyle = () => {
    drawn = "";
    redraw();
  };

  host.addEventListener("click", (event) => {
    if (plot === null || series.answers.length === 0) return;
    const x = event.clientX - plot.over.getBoundingClientRect().left;
    onPick(series.answers[plot.posToIdx(x)]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  new ResizeObserver(() => {
    if (plot !== null && plot.width !== host.clientWidth) plot.setSize({ width: Math.max(200, host.clientWidth), height: HEIGHT });
  }).observe(host);

  return {
    /** Begins a new picture of `plannedMs` milliseconds. */
    begin(next, plannedMs) {
      series = next;
      planned = plannedMs;
      restyle();
    },
    /** The series has grown. */
    update: redraw,
    choose(answer) {
      chosen = answer;
      plot?.redraw(false);
    },
    /** What the picture shows, for those who do not see it. */
    describe(text) {
      host.setAttribute("aria-label", text);
    },
  };
}

function dots(stroke) {
  return { stroke, paths: () => null, points: { show: true, size: 4, width: 0, fill: stroke } };
}

function line(stroke) {
  return { stroke, width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, spanGaps: true };
}

/** Three lanes above the plot, one a verdict: place and colour say the same. */
function drawMarks(u, answers, chosen, ink) {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const size = LANE * ratio;
  const top = bbox.top - (LANES.length * LANE + 4) * ratio;
  ctx.save();
  ctx.font = ink.laneFont;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  LANES.forEach((lane, index) => {
    const y = top + index * size;
    ctx.fillStyle = ink.lane;
    ctx.fillRect(bbox.left, y + ratio, bbox.width, size - 2 * ratio);
    ctx.fillStyle = ink[lane];
    ctx.fillText(lane, bbox.left - 7 * ratio, y + size / 2);
    for (const { at, outcome } of answers) {
      if (outcome === lane) ctx.fillRect(Math.round(u.valToPos(at / 1000, "x", true)) - ratio, y + 2 * ratio, 2 * ratio, size - 4 * ratio);
    }
  });
  if (chosen !== null) {
    const x = Math.round(u.valToPos(chosen.at / 1000, "x", true));
    ctx.strokeStyle = ink.ink;
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** The page's colours and fonts, for a canvas. */
function palette(host) {
  const style = getComputedStyle(host);
  const colour = (name) => style.getPropertyValue(name).trim();
  const family = colour("--sans");
  return {
    ink: colour("--ink"),
    soft: colour("--soft"),
    line: colour("--line"),
    lane: colour("--lane"),
    allowed: colour("--allowed"),
    refused: colour("--refused"),
    failed: colour("--failed"),
    limits: [1, 2, 3, 4].map((index) => colour(`--limit-${index}`)),
    font: `11px ${family}`,
    laneFont: `${11 * devicePixelRatio}px ${family}`,
  };
}
