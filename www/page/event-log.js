// A list of events, newest first. Each has a time, an icon and a sentence.

import { el } from "./dom.js";

const ICONS = { good: "✓", bad: "✕", note: "·" };
const MAX_EVENTS = 50;

/** Returns a function that adds an event to a list. The tone is "good", "bad" or "note". */
export function eventLog(list) {
  return (tone, text) => {
    const icon = el("span", { class: "glyph", "aria-hidden": "true" }, ICONS[tone]);
    list.prepend(el("li", { class: tone }, el("time", {}, timeOfDay(new Date())), icon, el("span", {}, text)));
    while (list.children.length > MAX_EVENTS) list.lastElementChild.remove();
  };
}

/** Formats the time of day to a tenth of a second. */
function timeOfDay(date) {
  const twoDigits = (value) => String(value).padStart(2, "0");
  const tenth = Math.floor(date.getMilliseconds() / 100);
  return `${[date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":")}.${tenth}`;
}
