// The rows of the Compare view: one limiter each, with its picture and its numbers.

import { picture } from "./compare-picture.js";
import { MODELS } from "./compare-texts.js";
import { byId, el } from "./dom.js";
import { duration, number } from "./format.js";

/** Returns functions that fill the rows. */
export function compareRows() {
  const host = byId("compare-rows");
  const rows = new Map(MODELS.map(({ name }) => [name, newRow(name)]));
  host.append(...[...rows.values()].map(({ row }) => row));

  return {
    /** Shows the promise of each limiter for a setting. */
    describe(setting) {
      for (const { name, promise } of MODELS) rows.get(name).promise.textContent = promise(setting);
    },
    /**
     * Shows outcomes: a map from names to `{ outcome, admissions, live }`. `live` is how many live decisions coincide, as
     * `{ same, all }`, or null. `ideal` is what an ideal limiter admits of the same traffic, or null if that is unknown.
     */
    show(setting, outcomes, ideal) {
      const worst = Math.max(...[...outcomes.values()].map(({ outcome }) => outcome.worst));
      const scale = { ...setting, top: Math.max(worst, setting.limit * 1.1) * 1.04 };
      for (const [name, { row, graph, numbers }] of rows) {
        const found = outcomes.get(name);
        row.hidden = found === undefined;
        if (found === undefined) continue;
        const facts = factsOf(setting, found, ideal);
        graph.replaceChildren(picture({ model: name, ...found, scale, label: `${name}: ${facts.map(inWords).join(", ")}.` }));
        numbers.replaceChildren(...facts.map(definition));
      }
    },
    /** Removes all pictures. */
    clear() {
      for (const { row } of rows.values()) row.hidden = true;
    },
  };
}

function newRow(name) {
  const promise = el("p", { class: "promise" });
  const graph = el("div", { class: "graph-place" });
  const numbers = el("dl", { class: "facts" });
  const badge = name === "two_counters" ? el("span", { class: "badge" }, "model") : null;
  const title = el("h3", { id: `model-${name}` }, el("code", {}, name === "two_counters" ? "two counters + cache" : name), badge);
  const row = el("article", { class: "model", "data-model": name, "aria-labelledby": `model-${name}`, hidden: true }, el("div", { class: "who" }, title, promise), graph, numbers);
  return { row, promise, graph, numbers };
}

function inWords({ term, text, note }) {
  return `${term} ${text}${note === null ? "" : `, ${note}`}`;
}

function definition({ term, text, note, tone }) {
  return el("div", { "data-tone": tone }, el("dt", {}, term), el("dd", {}, text, note === null ? null : el("small", {}, note)));
}

/** Returns the numbers of a row. `tone` is "bad" for what a limiter should not do, else null. */
function factsOf({ limit, retries }, { outcome, live = null }, ideal) {
  const { sent, admitted, worst, bound, waits } = outcome;
  const facts = [
    { term: "Worst window", text: number(worst), note: worst > limit ? `${ratio(worst / limit)} × limit (never over ${number(bound)})` : "within limit", tone: worst > limit ? "bad" : null },
    { term: "Admitted", text: number(admitted), note: `of ${number(sent)} sent`, tone: null },
  ];
  if (ideal !== null) facts.splice(1, 0, deliveredFact(admitted, ideal));
  if (retries && waits.length > 0) {
    const [median, p99, longest] = waits;
    facts.push({ term: "Wait, median", text: duration(median), note: `99 %: ${duration(p99)}, longest: ${duration(longest)}`, tone: null });
  }
  if (live !== null) facts.push(coincidenceFact(live));
  return facts;
}

function deliveredFact(admitted, ideal) {
  const term = "Delivered";
  if (ideal === 0) return { term, text: "–", note: null, tone: null };
  const share = admitted / ideal;
  const note = share > 1.005 ? "more than the limit" : share < 0.9 ? "less than the quota" : "of the quota";
  return { term, text: `${Math.round(100 * share)} %`, note, tone: share < 0.9 ? "bad" : null };
}

function coincidenceFact({ same, all }) {
  const differ = all - same;
  return { term: "Live = simulated", text: `${number(same)} of ${number(all)}`, note: differ === 0 ? "all coincide" : `${number(differ)} differ`, tone: differ === 0 ? "good" : "bad" };
}

function ratio(value) {
  return value.toFixed(value < 10 ? 2 : 0);
}
