// What has happened, newest first: a time, a mark and a sentence each.

import { el } from "./dom.js";

const MARKS = { good: "✓", bad: "✕", note: "·" };
const MOST = 50;

/** Wires a list. `note(tone, text)` adds a line; the tone is "good", "bad" or "note". */
export function journal(list) {
  return {
    note(tone, text) {
      const mark = el("span", { class: "glyph", "aria-hidden": "true" }, MARKS[tone]);
      list.prepend(el("li", { class: tone }, el("time", {}, clock(new Date())), mark, el("span", {}, text)));
      while (list.children.length > MOST) list.lastElementChild.remove();
    },
  };
}

/** Says the newest aloud, in a status line beside the list. */
export function say(status, tone, text) {
  status.dataset.tone = tone;
  status.textContent = text;
}

/** The time of day to a tenth of a second. */
function clock(date) {
  const two = (value) => String(value).padStart(2, "0");
  const tenth = Math.floor(date.getMilliseconds() / 100);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${tenth}`;
}
