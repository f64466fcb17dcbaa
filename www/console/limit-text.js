// Limits of the configuration in words. Pure.

import { number, windowName } from "../page/format.js";

/** Describes a limit: "20 per 10 s, burst 40", "5 in flight, lease 30s". */
export function describeLimit({ algorithm, limit, window, burst, lease, counts, by }) {
  const parts = [algorithm === "concurrency" ? `${number(limit)} in flight` : `${number(limit)} per ${describeWindow(window)}`];
  if (burst !== null && burst !== limit) parts.push(`burst ${number(burst)}`);
  if (lease !== null) parts.push(`lease ${lease}`);
  if (counts === "requests" && algorithm !== "concurrency") parts.push("counts requests");
  if (by !== null) parts.push(by === "everyone" ? "for everyone" : `for each ${by}`);
  return parts.join(", ");
}

/** The name of an algorithm as a person writes it: "token bucket". */
export function algorithmName(algorithm) {
  return algorithm.replaceAll("_", " ");
}

/** Describes a window as it follows "per": "day" for 1d, "10 s" for 10s. */
function describeWindow(window) {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(window) ?? [];
  return unit === undefined ? window : windowName(Number(count) * SECONDS[unit]);
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 };
