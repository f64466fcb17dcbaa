// A bar that shows how much of a whole is used.

import { svg } from "./svg.js";

/** Creates the bar for a share from 0 to 1. It is decoration: the numbers stand beside it. */
export function meter(share, level = levelOf(share)) {
  const width = Math.round(1000 * Math.min(1, Math.max(0, share))) / 10;
  return svg(
    "svg",
    { class: "meter", "data-level": level, viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", width: 100, height: 6 }),
    svg("rect", { class: "fill", width, height: 6 }),
  );
}

/** Returns the level of a share of a limit: "full", "near" or "low". */
export function levelOf(share) {
  if (share >= 1) return "full";
  return share >= NEAR ? "near" : "low";
}

// As in the overview of the API.
const NEAR = 0.8;
