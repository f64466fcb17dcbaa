// The chart of remaining quota over time: a dot for each response, a stepped line through the dots, and one mark
// per response in the lanes above. Between two responses the line keeps the last known value.

import uPlot from "uplot";
import { timeAxisEnd } from "./chart-data.js";
import { byId } from "./dom.js";
import { number } from "./format.js";

const LANES = ["allowed", "refused", "failed"];
const LANE_HEIGHT = 13;
const HEIGHT = 232;
// Quota has whole units, so the axis has no ticks between them.
const WHOLE_STEPS = Array.from({ length: 15 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/** Draws the chart into #plot. `onPick(response)` is called for a click on it. */
export function chart({ onPick }) {
  const host = byId("plot");
  let plot = null;
  let drawn = "";
  let data = null;
  let planned = 0;
  let chosen = null;

  const build = (columns) => {
    plot?.destroy();
    plot = new uPlot(options(), columns, host);
  };
  const options = () => {
    const colors = palette(host);
    const axis = { stroke: colors.muted, font: colors.font, grid: { stroke: colors.line, width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(200, host.clientWidth),
      height: HEIGHT,
      padding: [LANE_HEIGHT * LANES.length + 10, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { time: false, range: () => [0, timeAxisEnd(planned, data.responses.at(-1)?.at)] },
        y: { range: () => [0, data.top * 1.04] },
      },
      axes: [
        { ...axis, size: 32, gap: 8, values: (_, ticks) => ticks.map((tick) => `${Number(tick.toFixed(2))} s`) },
        { ...axis, size: 58, incrs: WHOLE_STEPS, values: (_, ticks) => ticks.map(quota) },
      ],
      series: [{}, ...[dots, line].flatMap((shape) => data.limits.map((_, index) => shape(colors.limits[index % colors.limits.length])))],
      hooks: { draw: [(u) => drawMarks(u, data.responses, chosen, colors)] },
    };
  };
  const quota = (tick) => {
    if (data.limits.length === 0) return "";
    return data.unit === "percent" ? `${tick} %` : number(tick);
  };
  const redraw = () => {
    if (data === null) return;
    const columns = data.columns();
    const shape = `${data.limits.map(({ name }) => name).join()} ${data.unit}`;
    if (plot === null || shape !== drawn) build(columns);
    else plot.setData(columns);
    drawn = shape;
  };
  const restyle = () => {
    drawn = "";
    redraw();
  };

  host.addEventListener("click", (event) => {
    if (plot === null || data.responses.length === 0) return;
    const x = event.clientX - plot.over.getBoundingClientRect().left;
    onPick(data.responses[plot.posToIdx(x)]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  new ResizeObserver(() => {
    if (plot !== null && plot.width !== host.clientWidth) plot.setSize({ width: Math.max(200, host.clientWidth), height: HEIGHT });
  }).observe(host);

  return {
    /** Starts a new chart of `plannedMs` milliseconds. */
    begin(next, plannedMs) {
      data = next;
      planned = plannedMs;
      restyle();
    },
    /** Draws the data that was added. */
    update: redraw,
    choose(response) {
      chosen = response;
      plot?.redraw(false);
    },
    /** Sets the description for screen readers. */
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

/** Draws three lanes above the plot, one per outcome. Position and color both show the outcome. */
function drawMarks(u, responses, chosen, colors) {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const size = LANE_HEIGHT * ratio;
  const top = bbox.top - (LANES.length * LANE_HEIGHT + 4) * ratio;
  ctx.save();
  ctx.font = colors.laneFont;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  LANES.forEach((lane, index) => {
    const y = top + index * size;
    ctx.fillStyle = colors.lane;
    ctx.fillRect(bbox.left, y + ratio, bbox.width, size - 2 * ratio);
    ctx.fillStyle = colors[lane];
    ctx.fillText(lane, bbox.left - 7 * ratio, y + size / 2);
    for (const { at, outcome } of responses) {
      if (outcome === lane) ctx.fillRect(Math.round(u.valToPos(at / 1000, "x", true)) - ratio, y + 2 * ratio, 2 * ratio, size - 4 * ratio);
    }
  });
  if (chosen !== null) {
    const x = Math.round(u.valToPos(chosen.at / 1000, "x", true));
    ctx.strokeStyle = colors.text;
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Returns the colors and fonts of the page, for the canvas. */
function palette(host) {
  const style = getComputedStyle(host);
  const color = (name) => style.getPropertyValue(name).trim();
  const family = color("--sans");
  return {
    text: color("--ink"),
    muted: color("--muted"),
    line: color("--line"),
    lane: color("--lane"),
    allowed: color("--allowed"),
    refused: color("--refused"),
    failed: color("--failed"),
    limits: [1, 2, 3, 4].map((index) => color(`--limit-${index}`)),
    font: `11px ${family}`,
    laneFont: `${11 * devicePixelRatio}px ${family}`,
  };
}
