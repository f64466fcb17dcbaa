// The responses as rows of a table, in the order in which they came. One row is in the tab order;
// the arrow keys move it.

import { capacity, tightestLimit } from "./response.js";
import { byId, el } from "./dom.js";
import { measuredMs, number, reportedMs, shortDuration } from "./format.js";

const MARKS = { allowed: "✓", refused: "✕", failed: "!" };

/** Wires the table. `onChoose(response, byKey)` is called for a click or Enter on a row. */
export function responseTable({ onChoose, onMove }) {
  const body = byId("rows");
  const scroll = byId("scroll");
  const responses = new Map();
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
    if (row !== null) onChoose(responses.get(row), event.detail === 0);
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
    onMove(responses.get(to));
  });

  return {
    clear() {
      body.replaceChildren();
      responses.clear();
      chosen = null;
      byId("no-rows").hidden = true;
    },
    /** Appends responses; stays at the end of the list where the reader was there. */
    add(batch) {
      const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
      for (const response of batch) {
        const row = rowOf(response, responses.size === 0);
        responses.set(row, response);
        body.append(row);
      }
      if (atEnd && chosen === null) scroll.scrollTop = scroll.scrollHeight;
    },
    /** Marks the chosen response, and brings it into view. */
    choose(response) {
      chosen = response;
      for (const [row, candidate] of responses) {
        const on = candidate === response;
        row.classList.toggle("chosen", on);
        buttonOf(row).setAttribute("aria-pressed", String(on));
        if (on) row.scrollIntoView({ block: "nearest" });
      }
    },
    focus(response) {
      for (const [row, candidate] of responses) if (candidate === response) focusRow(row);
    },
  };
}

function rowOf(response, first) {
  const { number: index, outcome, status, retryAfter, ms, limiterMs, redirected } = response;
  const button = el("button", { type: "button", tabindex: first ? "0" : "-1", "aria-pressed": "false" }, String(index));
  button.setAttribute("aria-label", `Response ${index}, ${outcome}`);
  const mark = el("span", { class: "glyph", "aria-hidden": "true" }, MARKS[outcome]);
  return el(
    "tr",
    { class: outcome },
    el("td", { class: "c-number" }, button),
    el("td", { class: "c-verdict" }, mark, outcome),
    el("td", { class: "c-status" }, redirected ? "3xx" : String(status ?? "–")),
    el("td", { class: "c-ms" }, measuredMs(ms)),
    el("td", { class: "c-limiter" }, reportedMs(limiterMs)),
    el("td", { class: "c-left" }, el("div", {}, ...left(response.limits))),
    el("td", { class: "c-retry" }, retryAfter === null ? "" : shortDuration(retryAfter)),
  );
}

/** What each limit has left; the bar shows the one closest to its end. */
function left(limits) {
  if (limits.length === 0) return [el("span", { class: "none" }, "not said")];
  const least = tightestLimit(limits);
  const full = capacity(least.policy);
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span"));
  bar.firstElementChild.style.inlineSize = `${full ? Math.min(100, (100 * least.remaining) / full) : 0}%`;
  const values = limits.map((limit) => {
    const name = limits.length === 1 ? null : el("small", {}, `${limit.name} `);
    return el("span", { class: limit === least ? "value least" : "value" }, name, number(limit.remaining));
  });
  return [bar, ...values];
}
