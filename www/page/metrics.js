// Everything that counts: totals, medians, progress, the policy in words, the countdown.

import { byId, el } from "./dom.js";
import { Tally } from "./totals.js";
import { next } from "./next-request.js";
import { countdown, milliseconds, number, promise, told } from "./format.js";

/** Totals and progress of a run. */
export function showTally(tally, planned) {
  for (const name of ["allowed", "refused", "failed"]) {
    byId(name).textContent = number(tally[name]);
    byId(name).closest(".figure").classList.toggle("some", tally[name] > 0);
  }
  byId("median").textContent = milliseconds(tally.median);
  byId("limiter").textContent = told(tally.limiterMedian);
  byId("progress").style.inlineSize = planned === 0 ? "0" : `${(100 * tally.answered) / planned}%`;
}

/** No answers, no policy. */
export function clearFigures() {
  showTally(new Tally(), 0);
  byId("limits").replaceChildren(el("li", { class: "empty" }, "The policy shows with the first answer."));
}

/** The policy as the latest answer has it: each limit in words, as the header spells it, and what is left. */
export function showLimits(answer, known) {
  const list = byId("limits");
  if (answer.error !== null) {
    if (known.length === 0) list.replaceChildren(el("li", { class: "empty" }, "The gate does not answer. Is it running?"));
    return;
  }
  if (answer.trouble !== null) {
    list.replaceChildren(el("li", { class: "empty" }, `The gate's headers could not be read: ${answer.trouble}`));
    return;
  }
  if (answer.limits.length === 0) {
    if (known.length > 0) return;
    const why = answer.said === "unjudged" ? "Redis does not answer, so requests pass unjudged." : "no limit applies here.";
    const text = `No RateLimit header: ${why}`;
    list.replaceChildren(el("li", { class: "empty" }, text));
    return;
  }
  list.replaceChildren(...known.map(({ name, capacity }, index) => limitOf(name, capacity, index, answer)));
}

function limitOf(name, capacity, index, answer) {
  const policy = answer.policies.find((item) => item.name === name);
  const limit = answer.limits.find((item) => item.name === name);
  return el(
    "li",
    {},
    el("span", { class: `swatch limit-${(index % 4) + 1}`, "aria-hidden": "true" }),
    el("strong", {}, name),
    el("span", { class: "promise" }, policy === undefined ? "no policy given" : promise(policy)),
    policy?.shadow ? el("span", { class: "tag", title: "It judges, but it refuses nobody" }, "only watches") : null,
    policy === undefined ? null : el("code", { title: "as RateLimit-Policy spells it" }, policy.text),
    el("span", { class: "now" }, el("b", {}, limit === undefined ? "–" : number(limit.remaining)), ` of ${number(capacity)} left`),
  );
}

/** Keeps the figure «next request» true: ticks only while there is something to count down. */
export function nextRequest() {
  const figure = byId("next");
  const text = byId("next-text");
  const one = byId("one");
  let answer = null;
  let start = 0;
  let timer = null;

  const tick = () => {
    const { state, ms } = next(answer, performance.now() - start);
    if (figure.dataset.state !== state) figure.dataset.state = state;
    one.classList.toggle("call", state === "over");
    const words = state === "wait" ? `in ${countdown(ms)}` : TEXTS[state];
    if (text.textContent !== words) text.textContent = words;
    if (state !== "wait") {
      clearInterval(timer);
      timer = null;
    }
  };

  return {
    /** This answer decides; `runStart` is the zero of its clock. */
    follow(decisive, runStart) {
      answer = decisive;
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
