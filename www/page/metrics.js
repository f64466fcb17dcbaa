// Everything that counts: totals, medians, progress, the policy in words, the countdown.

import { byId, el } from "./dom.js";
import { Totals } from "./totals.js";
import { predictNext } from "./next-request.js";
import { countdown, describePolicy, measuredMs, number, reportedMs } from "./format.js";

/** Totals and progress of a run. */
export function showTotals(totals, planned) {
  for (const name of ["allowed", "refused", "failed"]) {
    byId(name).textContent = number(totals[name]);
    byId(name).closest(".metric").classList.toggle("some", totals[name] > 0);
  }
  byId("median").textContent = measuredMs(totals.median);
  byId("limiter").textContent = reportedMs(totals.limiterMedian);
  byId("progress").style.inlineSize = planned === 0 ? "0" : `${(100 * totals.answered) / planned}%`;
}

/** No responses, no policy. */
export function clearMetrics() {
  showTotals(new Totals(), 0);
  byId("limits").replaceChildren(el("li", { class: "empty" }, "The policy shows with the first response."));
}

/** The policy as the latest response has it: each limit in words, as the header spells it, and what is left. */
export function showLimits(response, known) {
  const list = byId("limits");
  if (response.error !== null) {
    if (known.length === 0) list.replaceChildren(el("li", { class: "empty" }, "The gate does not respond. Is it running?"));
    return;
  }
  if (response.headerError !== null) {
    list.replaceChildren(el("li", { class: "empty" }, `The gate's headers could not be read: ${response.headerError}`));
    return;
  }
  if (response.limits.length === 0) {
    if (known.length > 0) return;
    const why = response.limiterNote === "unjudged" ? "Redis does not respond, so requests pass unjudged." : "no limit applies here.";
    const text = `No RateLimit header: ${why}`;
    list.replaceChildren(el("li", { class: "empty" }, text));
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
    el("span", { class: "policy-text" }, policy === undefined ? "no policy given" : describePolicy(policy)),
    policy?.shadow ? el("span", { class: "tag", title: "It judges, but it refuses nobody" }, "only watches") : null,
    policy === undefined ? null : el("code", { title: "as RateLimit-Policy spells it" }, policy.text),
    el("span", { class: "now" }, el("b", {}, limit === undefined ? "–" : number(limit.remaining)), ` of ${number(capacity)} left`),
  );
}

/** Keeps the figure «next request» true: ticks only while there is something to count down. */
export function nextRequestCountdown() {
  const figure = byId("next");
  const text = byId("next-text");
  const one = byId("send-one");
  let response = null;
  let start = 0;
  let timer = null;

  const tick = () => {
    const { state, ms } = predictNext(response, performance.now() - start);
    if (figure.dataset.state !== state) figure.dataset.state = state;
    one.classList.toggle("highlight", state === "over");
    const words = state === "wait" ? `in ${countdown(ms)}` : TEXTS[state];
    if (text.textContent !== words) text.textContent = words;
    if (state !== "wait") {
      clearInterval(timer);
      timer = null;
    }
  };

  return {
    /** This response decides; `runStart` is the zero of its clock. */
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
  open: "passes",
  spent: "none left",
  over: "now",
  never: "never",
};
