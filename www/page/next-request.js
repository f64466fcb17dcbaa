// Predicts whether the next request is allowed, from the responses so far. Pure.

import { retryAfterMs } from "./response.js";

/**
 * Returns the response that reflects the latest decision. That is the later one, with one exception: a refusal
 * stays the latest if the later response is not a refusal and its request was sent before the refusal arrived. An
 * allowed response also passes through the origin, so its decision may be older.
 */
export function latestDecision(current, later) {
  const overtaken = current?.outcome === "refused" && later.outcome !== "refused" && later.sentAt < current.at;
  return overtaken ? current : later;
}

/**
 * Returns `{ state, ms }` at the time `now` (on the clock of `response.at`, in milliseconds):
 *
 * - "unknown": there is no response, or it has no limits
 * - "open": allowed, and quota remains
 * - "exhausted": allowed, and a limit has reached zero
 * - "wait": refused; a request is allowed in `ms`
 * - "ready": refused, and its retry time has passed
 * - "never": refused, and waiting does not help
 */
export function predictNext(response, now) {
  if (response === null || response.outcome === "failed") return { state: "unknown", ms: null };
  if (response.outcome === "refused") {
    const retryMs = retryAfterMs(response);
    if (retryMs === null) return { state: "never", ms: null };
    const ms = response.at + retryMs - now;
    return ms > 0 ? { state: "wait", ms } : { state: "ready", ms: 0 };
  }
  if (response.limits.length === 0) return { state: "unknown", ms: null };
  const exhausted = response.limits.some(({ remaining, policy }) => remaining === 0 && !policy?.shadow);
  return { state: exhausted ? "exhausted" : "open", ms: null };
}
