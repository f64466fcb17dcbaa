// The metrics of a run: totals, medians, progress, the policy, and the countdown to the next request.

import { byId, el } from "./dom.js";
import { countdown, describePolicy, measuredMs, number, reportedMs } from "./format.js";
import { predictNext } from "./next-request.js";
import { Totals } from "./totals.js";

/** Shows the totals and the progress of a run. */
export function showTotals(totals, planned) {
  for (const name of ["allowed", "refused", "failed"]) {
    byId(name).textContent = number(totals[name]);
    byId(name).closest(".metric").classList.toggle("some", totals[name] > 0);
  }
  byId("median").textContent = measuredMs(totals.median);
  byId("limiter").textContent = reportedMs(totals.limiterMedian);
  byId("progress").style.inlineSize = planned === 0 ? "0" : `${(100 * totals.answered) / planned}%`;
}

/** Shows that there are no responses and no policy yet. */
export function clearMetrics() {
  showTotals(new Totals(), 0);
  byId("limits").replaceChildren(el("li", { class: "empty" }, "The rate limit policy appears with the first response."));
}

/** Shows the policy of the latest response: each limit in words, as its header item, and what remains of it. */
export function showLimits(response, known) {
  const list = byId("limits");
  if (response.error !== null) {
    if (known.length === 0) list.replaceChildren(el("li", { class: "empty" }, "sluicegate does not respond. Is it running?"));
    return;
  }
  if (response.headerError !== null) {
    list.replaceChildren(el("li", { class: "empty" }, `Invalid rate limit headers: ${response.headerError}`));
    return;
  }
  if (response.limits.length === 0) {
    if (known.length > 0) return;
    const why = response.limiterNote === "unjudged" ? "Redis is unavailable, so requests are allowed without a check." : "no limit applies here.";
    list.replaceChildren(el("li", { class: "empty" }, `No RateLimit header: ${why}`));
    return;
  }
  list.replaceChildren(...known.map(({ name, capacity }, index) => limitOf(name, capacity, index, response)));
}

function limitOf(name, capacity, index, response) {
  const policy = response.policies.find((item) => item.name === name);
  const limit = response.limits.find((item) => item.name === name);
  return el(
    "li",
    {},
    el("span", { class: `swatch limit-${(index % 4) + 1}`, "aria-hidden": "true" }),
    el("strong", {}, name),
    el("span", { class: "policy-text" }, policy === undefined ? "unknown policy" : describePolicy(policy)),
    policy?.shadow ? el("span", { class: "tag", title: "Reports a verdict, but never refuses" }, "shadow mode") : null,
    policy === undefined ? null : el("code", { title: "RateLimit-Policy" }, policy.text),
    el("span", { class: "now" }, el("b", {}, limit === undefined ? "–" : number(limit.remaining)), ` of ${number(capacity)} remaining`),
  );
}

/** Keeps the metric "next request" up to date. The timer runs only during a countdown. */
export function nextRequestCountdown() {
  const metric = byId("next");
  const text = byId("next-text");
  const sendOne = byId("send-one");
  let response = null;
  let start = 0;
  let timer = null;

  const tick = () => {
    const { state, ms } = predictNext(response, performance.now() - start);
    if (metric.dataset.state !== state) metric.dataset.state = state;
    sendOne.classList.toggle("highlight", state === "ready");
    const words = state === "wait" ? `in ${countdown(ms)}` : TEXTS[state];
    if (text.textContent !== words) text.textContent = words;
    if (state !== "wait") {
      clearInterval(timer);
      timer = null;
    }
  };

  return {
    /** Shows the prediction from this response. `runStart` is the start of its clock. */
    follow(decision, runStart) {
      response = decision;
      start = runStart;
      tick();
      timer ??= setInterval(tick, 100);
    },
  };
}

const TEXTS = {
  unknown: "–",
  open: "allowed",
  exhausted: "no quota left",
  ready: "now",
  never: "never",
};
