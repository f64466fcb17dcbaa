// The answers as rows of a table, in the order in which they came. One row is in the tab order;
// the arrow keys move it.

import { capacity, tightest } from "./response.js";
import { byId, el } from "./dom.js";
import { brief, milliseconds, number, told } from "./format.js";

const MARKS = { allowed: "✓", refused: "✕", failed: "!" };

/** Wires the table. `onChoose(answer, byKey)` is called for a click or Enter on a row. */
export function rows({ onChoose, onMove }) {
  const body = byId("rows");
  const scroll = byId("scroll");
  const answers = new Map();
  let chosen = null;

  const buttonOf = (row) => row.querySelector("button");
  const focusRow = (row) => {
    for (const button of body.querySelectorAll('button[tabindex="0"]')) button.tabIndex = -1;
    buttonOf(row).tabIndex = 0;
    buttonOf(row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    // detail is 0 where a key made the click.
    if (row !== null) onChoose(answers.get(row), event.detail === 0);
  });
  body.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr");
    const to = {
      ArrowDown: row?.nextElementSibling,
      ArrowUp: row?.previousElementSibling,
      Home: body.firstElementChild,
      End: body.lastElementChild,
    }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (to === null) return;
    focusRow(to);
    onMove(answers.get(to));
  });

  return {
    clear() {
      body.replaceChildren();
      answers.clear();
      chosen = null;
      byId("no-rows").hidden = true;
    },
    /** Appends answers; stays at the end of the list where the reader was there. */
    add(batch) {
      const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
      for (const answer of batch) {
        const row = rowOf(answer, answers.size === 0);
        answers.set(row, answer);
        body.append(row);
      }
      if (atEnd && chosen === null) scroll.scrollTop = scroll.scrollHeight;
    },
    /** Marks the chosen answer, and brings it into view. */
    choose(answer) {
      chosen = answer;
      for (const [row, candidate] of answers) {
        const on = candidate === answer;
        row.classList.toggle("chosen", on);
        buttonOf(row).setAttribute("aria-pressed", String(on));
        if (on) row.scrollIntoView({ block: "nearest" });
      }
    },
    focus(answer) {
      for (const [row, candidate] of answers) if (candidate === answer) focusRow(row);
    },
  };
}

function rowOf(answer, first) {
  const { number: index, outcome, status, retryAfter, ms, limiterMs, redirected } = answer;
  const button = el("button", { type: "button", tabindex: first ? "0" : "-1", "aria-pressed": "false" }, String(index));
  button.setAttribute("aria-label", `Answer ${index}, ${outcome}`);
  const mark = el("span", { class: "glyph", "aria-hidden": "true" }, MARKS[outcome]);
  return el(
    "tr",
    { class: outcome },
    el("td", { class: "c-number" }, button),
    el("td", { class: "c-verdict" }, mark, outcome),
    el("td", { class: "c-status" }, redirected ? "3xx" : String(status ?? "–")),
    el("td", { class: "c-ms" }, milliseconds(ms)),
    el("td", { class: "c-limiter" }, told(limiterMs)),
    el("td", { class: "c-left" }, el("div", {}, ...left(answer.limits))),
    el("td", { class: "c-retry" }, retryAfter === null ? "" : brief(retryAfter)),
  );
}

/** What each limit has left; the bar shows the one closest to its end. */
function left(limits) {
  if (limits.length === 0) return [el("span", { class: "none" }, "not said")];
  const least = tightest(limits);
  const full = capacity(least.policy);
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span"));
  bar.firstElementChild.style.inlineSize = `${full ? Math.min(100, (100 * least.remaining) / full) : 0}%`;
  const values = limits.map((limit) => {
    const name = limits.length === 1 ? null : el("small", {}, `${limit.name} `);
    return el("span", { class: limit === least ? "value least" : "value" }, name, number(limit.remaining));
  });
  return [bar, ...values];
}
