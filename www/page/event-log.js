// What has happened, newest first: a time, a mark and a message each.

import { el } from "./dom.js";

const MARKS = { good: "✓", bad: "✕", note: "·" };
const MAX_ENTRIES = 50;

/** Wires a list. `add(tone, text)` adds a line; the tone is "good", "bad" or "note". */
export function eventLog(list) {
  return {
    add(tone, text) {
      const mark = el("span", { class: "glyph", "aria-hidden": "true" }, MARKS[tone]);
      list.prepend(el("li", { class: tone }, el("time", {}, timeOfDay(new Date())), mark, el("span", {}, text)));
      while (list.children.length > MAX_ENTRIES) list.lastElementChild.remove();
    },
  };
}

/** Says the newest aloud, in a status line beside the list. */
export function announce(status, tone, text) {
  status.dataset.tone = tone;
  status.textContent = text;
}

/** The time of day to a tenth of a second. */
function timeOfDay(date) {
  const two = (value) => String(value).padStart(2, "0");
  const tenth = Math.floor(date.getMilliseconds() / 100);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${tenth}`;
}
