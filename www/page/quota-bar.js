// A bar that shows the remaining share of a quota.

import { el } from "./dom.js";

/** Creates the bar. It is empty if the capacity is unknown or zero. */
export function quotaBar(remaining, capacity) {
  const fill = el("span");
  fill.style.inlineSize = `${capacity > 0 ? Math.min(100, (100 * remaining) / capacity) : 0}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, fill);
}
