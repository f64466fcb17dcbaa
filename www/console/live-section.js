// The section Live: what happens in the isolate that answers, as it happens.

import { byId, el } from "../page/dom.js";
import { duration, number, pluralize } from "../page/format.js";
import { EventFeed } from "./event-feed.js";
import { fragment } from "./router.js";
import { timeOfDay } from "./utc.js";

/** Connects the section. Returns `show()`, `hide()` and `clear()`. */
export function liveSection({ admin }) {
  const filter = byId("live-filter");
  const pause = byId("live-pause");
  let feed = newFeed(admin);
  let timer = null;
  let isShown = false;

  const isPaused = () => pause.getAttribute("aria-pressed") === "true";
  const say = (text) => {
    // A live region that is set to the same text may be read again.
    if (byId("live-status").textContent !== text) byId("live-status").textContent = text;
  };
  const follow = async () => {
    clearTimeout(timer);
    if (!isShown) return;
    if (isPaused()) return say("Paused");
    const polled = feed;
    const response = await polled.poll();
    if (!isShown || feed !== polled || isPaused() || admin.token === null) return;
    say(response.ok ? "Following" : response.message);
    render();
    clearTimeout(timer);
    timer = setTimeout(follow, POLL_MS);
  };
  const render = () => {
    const shown = feed.events.filter(({ event }) => filter.elements[event.startsWith("breaker") ? "breaker" : event].checked);
    const isolates = new Set(feed.events.map(({ isolate }) => isolate));
    byId("live-isolate").textContent = feed.isolate ?? "–";
    byId("live-rows").replaceChildren(...shown.slice(0, MAX_ROWS).map((event) => row(event, isolates.size > 1)));
    byId("live-events").hidden = shown.length === 0;
    byId("no-events").hidden = shown.length > 0;
    const older = Math.max(0, shown.length - MAX_ROWS);
    const missing = [older === 0 ? null : `${pluralize(older, "older event")} not shown.`, feed.dropped === 0 ? null : `The isolate no longer had ${pluralize(feed.dropped, "event")}.`];
    byId("live-dropped").textContent = missing.filter(Boolean).join(" ");
  };

  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    follow();
  });
  byId("live-clear").addEventListener("click", () => {
    feed.clear();
    render();
  });
  filter.addEventListener("change", render);

  return {
    async show() {
      isShown = true;
      await follow();
    },
    hide() {
      isShown = false;
      clearTimeout(timer);
    },
    clear() {
      feed = newFeed(admin);
      say("");
      render();
    },
  };
}

function newFeed(admin) {
  return new EventFeed((...request) => admin.call(...request));
}

function row(entry, hasManyIsolates) {
  const { at, event, status, problem, tenant, subject, address, route, limit, by, cost, retry_ms: retry, error, isolate } = entry;
  const details = [status, problem, error].filter((part) => part !== undefined).join(" ");
  const caller = tenant === undefined ? (subject ?? address) : el("a", { href: fragment("usage", tenant) }, tenant);
  return el(
    "tr",
    {},
    el("td", { class: "time" }, el("time", { datetime: at }, timeOfDay(Date.parse(at)))),
    el("td", { "data-label": "Event" }, el("span", { class: "state", "data-state": event }, NAMES[event]), ` ${details}`, hasManyIsolates ? el("small", {}, ` isolate ${isolate.slice(0, 4)}`) : null),
    cell("Caller", caller),
    cell("Route", route === undefined ? undefined : el("code", {}, route)),
    cell("Limit", limit, by === undefined || by === "redis" ? null : el("small", {}, ` from ${by}`)),
    cell("Cost", cost === undefined ? undefined : number(cost), null, "number"),
    cell("Retry in", retry === undefined ? undefined : duration(retry), null, "number"),
  );
}

/** Creates a cell. On a phone, one without a value is left out. */
function cell(label, value, more = null, style = "") {
  const isMissing = value === undefined;
  return el("td", { class: isMissing ? `${style} none` : style, "data-label": label }, isMissing ? "–" : value, more);
}

const NAMES = {
  refused: "refused",
  passed: "passed",
  unjudged: "unjudged",
  breaker_opened: "breaker opened",
  breaker_closed: "breaker closed",
};
// The page says «within two seconds».
const POLL_MS = 2_000;
// More than anybody reads.
const MAX_ROWS = 100;
