// The picture of one limiter: admissions in each window as bars, and in any window as a line. What is over the limit is
// red. The strip below has the requests that were sent.

import { el } from "./dom.js";

const WIDTH = 1000;
const HEIGHT = 100;
const STRIP = 8;
const SHADES = 4;

/**
 * Returns the picture. `scale` is `{ limit, window, duration, top }`: times in milliseconds, and the highest number of all
 * pictures of the page. `admissions` are the times of live admissions, drawn as dots; null if there are none.
 */
export function picture({ model, outcome, scale, admissions = null, label }) {
  const { limit, window, duration, top } = scale;
  const y = (value) => round(HEIGHT - (HEIGHT * value) / top);
  const x = (time) => round((WIDTH * time) / duration);
  const line = linePath(outcome.rolling, y);
  const parts = [svg("path", { class: "bars", d: barsPath(outcome.byWindow, y) }), svg("path", { class: "rolling", d: line })];
  for (let number = 1; number * window < duration; number += 1) parts.push(svg("path", { class: "boundary", d: `M${x(number * window)} 0V${HEIGHT}` }));
  if (outcome.worst > limit) {
    const clip = `over-${model}`;
    parts.push(svg("clipPath", { id: clip }, svg("rect", { x: 0, y: 0, width: WIDTH, height: y(limit) })));
    parts.push(svg("path", { class: "over", d: `${line}V${HEIGHT}H0z`, "clip-path": `url(#${clip})` }));
    const [from, to] = [x(outcome.worstFrom), x(outcome.worstFrom + window)];
    parts.push(svg("path", { class: "worst", d: `M${from} 6V1H${to}V6` }));
  }
  parts.push(svg("path", { class: "limit-line", d: `M0 ${y(limit)}H${WIDTH}` }));
  if (admissions !== null) parts.push(svg("path", { class: "live", d: dotsPath(admissions, window, x, y) }));
  return el(
    "div",
    { class: "picture", role: "img", "aria-label": label },
    svg("svg", { class: "graph", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...parts),
    svg("svg", { class: "strip", viewBox: `0 0 ${WIDTH} ${STRIP}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...stripPaths(outcome.sentByPart)),
  );
}

/** Returns how many admissions there are in the window that ends with each. The times are sorted. */
export function levels(admissions, window) {
  let begin = 0;
  return [...admissions].map((time, index) => {
    while (admissions[begin] + window <= time) begin += 1;
    return index - begin + 1;
  });
}

function barsPath(byWindow, y) {
  const width = WIDTH / byWindow.length;
  return [...byWindow].map((value, index) => `M${round(index * width + 2)} ${HEIGHT}V${y(value)}h${round(width - 4)}V${HEIGHT}z`).join("");
}

function linePath(rolling, y) {
  const width = WIDTH / rolling.length;
  let line = `M0 ${y(rolling[0])}`;
  let last = rolling[0];
  for (let index = 1; index < rolling.length; index += 1) {
    if (rolling[index] === last) continue;
    last = rolling[index];
    line += `H${round(index * width)}V${y(last)}`;
  }
  return `${line}H${WIDTH}`;
}

/** A line of no length with a round cap is a dot that keeps its shape when the picture is stretched. */
function dotsPath(admissions, window, x, y) {
  const heights = levels(admissions, window);
  return [...admissions].map((time, index) => `M${x(time)} ${y(heights[index])}h0`).join("");
}

/** Returns a path for each shade: the more requests a part has, the darker it is. */
function stripPaths(sentByPart) {
  const most = Math.max(1, ...sentByPart);
  const width = WIDTH / sentByPart.length;
  const paths = Array.from({ length: SHADES }, () => "");
  sentByPart.forEach((sent, index) => {
    if (sent === 0) return;
    const shade = Math.min(SHADES, Math.ceil((SHADES * sent) / most)) - 1;
    paths[shade] += `M${round(index * width)} 0h${round(width + 0.2)}v${STRIP}h-${round(width + 0.2)}z`;
  });
  return paths.map((d, shade) => svg("path", { class: `sent shade-${shade + 1}`, d }));
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function round(value) {
  return Math.round(value * 100) / 100;
}
