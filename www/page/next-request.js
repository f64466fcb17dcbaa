// When the next request will pass, from the responses so far. Pure.

import { retryAfterMs } from "./response.js";

/**
 * Which of two responses tells more of the next request: the later one, except that a refusal stands
 * against a response whose request was already on its way when the refusal came. An allowed response
 * comes by way of the origin, so it may well have been judged before.
 */
export function latestDecision(current, later) {
  const overtaken = current?.outcome === "refused" && later.outcome !== "refused" && later.sentAt < current.at;
  return overtaken ? current : later;
}

/**
 * `{ state, ms }` at the moment `now` (the clock of `response.at`, in milliseconds):
 *
 * - "unknown": nothing was answered, or the response does not say
 * - "open": the response leaves quota
 * - "spent": allowed, and with that a limit is at zero
 * - "wait": refused; a request passes in `ms`
 * - "over": refused, and the time it asked for has passed
 * - "never": refused, and no waiting would help
 */
export function predictNext(response, now) {
  if (response === null || response.outcome === "failed") return { state: "unknown", ms: null };
  if (response.outcome === "refused") {
    const whole = retryAfterMs(response);
    if (whole === null) return { state: "never", ms: null };
    const ms = response.at + whole - now;
    return ms > 0 ? { state: "wait", ms } : { state: "over", ms: 0 };
  }
  if (response.limits.length === 0) return { state: "unknown", ms: null };
  const spent = response.limits.some(({ remaining, policy }) => remaining === 0 && !policy?.shadow);
  return { state: spent ? "spent" : "open", ms: null };
}
