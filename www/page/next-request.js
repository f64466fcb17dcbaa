// When the next request will pass, from the answers so far. Pure.

import { wait } from "./response.js";

/**
 * Which of two answers tells more of the next request: the later one, except that a refusal stands
 * against an answer whose request was already on its way when the refusal came. An allowed answer
 * comes by way of the origin, so it may well have been judged before.
 */
export function telling(current, later) {
  const overtaken = current?.outcome === "refused" && later.outcome !== "refused" && later.sentAt < current.at;
  return overtaken ? current : later;
}

/**
 * `{ state, ms }` at the moment `now` (the clock of `answer.at`, in milliseconds):
 *
 * - "unknown": nothing was answered, or the answer does not say
 * - "open": the answer leaves quota
 * - "spent": allowed, and with that a limit is at zero
 * - "wait": refused; a request passes in `ms`
 * - "over": refused, and the time it asked for has passed
 * - "never": refused, and no waiting would help
 */
export function next(answer, now) {
  if (answer === null || answer.outcome === "failed") return { state: "unknown", ms: null };
  if (answer.outcome === "refused") {
    const whole = wait(answer);
    if (whole === null) return { state: "never", ms: null };
    const ms = answer.at + whole - now;
    return ms > 0 ? { state: "wait", ms } : { state: "over", ms: 0 };
  }
  if (answer.limits.length === 0) return { state: "unknown", ms: null };
  const spent = answer.limits.some(({ remaining, policy }) => remaining === 0 && !policy?.shadow);
  return { state: spent ? "spent" : "open", ms: null };
}
