// The table of responses, in the order of their arrival. One row is in the tab order, and the arrow keys move it.

import { byId, el } from "./dom.js";
import { measuredMs, number, reportedMs, shortDuration } from "./format.js";
import { quotaBar } from "./quota-bar.js";
import { capacity, tightestLimit } from "./response.js";

const ICONS = { allowed: "✓", refused: "✕", failed: "!" };

/**
 * Connects the table. `onChoose(response)` is called for a click or Enter on a row, `onMove(response)` for an arrow
 * key.
 */
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
    if (row !== null) onChoose(responses.get(row));
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
    /** Appends responses. Keeps the end of the table in view if it was in view. */
    add(batch) {
      const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
      for (const response of batch) {
        const row = rowOf(response, responses.size === 0);
        responses.set(row, response);
        body.append(row);
      }
      if (atEnd && chosen === null) scroll.scrollTop = scroll.scrollHeight;
    },
    /** Highlights a response and scrolls it into view. Null removes the highlight. */
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
  const icon = el("span", { class: "glyph", "aria-hidden": "true" }, ICONS[outcome]);
  return el(
    "tr",
    { class: outcome },
    el("td", { class: "c-number" }, button),
    el("td", { class: "c-verdict" }, icon, outcome),
    el("td", { class: "c-status" }, redirected ? "3xx" : String(status ?? "–")),
    el("td", { class: "c-ms" }, measuredMs(ms)),
    el("td", { class: "c-limiter" }, reportedMs(limiterMs)),
    el("td", { class: "c-left" }, el("div", {}, ...remainingQuota(response.limits))),
    el("td", { class: "c-retry" }, retryAfter === null ? "" : shortDuration(retryAfter)),
  );
}

/** Shows what remains of each limit. The bar shows the tightest one. */
function remainingQuota(limits) {
  if (limits.length === 0) return [el("span", { class: "none" }, "no header")];
  const least = tightestLimit(limits);
  const values = limits.map((limit) => {
    const name = limits.length === 1 ? null : el("small", {}, `${limit.name} `);
    return el("span", { class: limit === least ? "value least" : "value" }, name, number(limit.remaining));
  });
  return [quotaBar(least.remaining, capacity(least.policy)), ...values];
}
