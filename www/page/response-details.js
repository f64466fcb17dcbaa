// The details of one response: an explanation, its headers and its body.

import { retryAfterMs } from "./response.js";
import { byId, el } from "./dom.js";
import { describePolicy, duration, measuredMs, number, pluralize, reasonPhrase, reportedMs } from "./format.js";

const SLUICEGATE_HEADERS = new Set(["ratelimit", "ratelimit-policy", "retry-after", "retry-after-ms", "server-timing"]);

/** Connects the panel. It is a column in a wide window, and a sheet over the page elsewhere. */
export function responseDetails({ onClose }) {
  const panel = byId("details");
  const title = byId("details-title");
  const body = byId("details-body");
  const behind = [...byId("app").children, document.querySelector(".top")].filter((part) => part !== panel);
  const wide = matchMedia("(min-width: 1200px)");
  let shown = null;

  const cover = (on) => {
    panel.classList.toggle("open", on);
    for (const part of behind) part.inert = on && !wide.matches;
  };
  const close = () => {
    const response = shown;
    shown = null;
    cover(false);
    render();
    if (response !== null) onClose(response);
  };
  const render = () => {
    title.textContent = shown === null ? "Response" : `Response ${shown.number}`;
    byId("close").hidden = shown === null;
    body.replaceChildren(
      ...(shown === null ? [el("p", { class: "empty" }, "Select a response to see its headers and body.")] : parts(shown)),
    );
    body.scrollTop = 0;
  };

  byId("close").addEventListener("click", close);
  wide.addEventListener("change", () => cover(shown !== null));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown !== null) close();
  });
  render();

  return {
    get shown() {
      return shown;
    },
    /** Shows a response. If the panel is a sheet, it takes the focus. */
    show(response) {
      shown = response;
      render();
      cover(true);
      if (!wide.matches) title.focus({ preventScroll: true });
    },
    /** Shows the body of a response that has just arrived. */
    refresh(response) {
      if (response === shown) render();
    },
    clear() {
      shown = null;
      cover(false);
      render();
    },
  };
}

function parts(response) {
  const { method, path, tenant, status, outcome, redirected } = response;
  const head = el(
    "div",
    { class: `verdict ${outcome}` },
    el("p", { class: "line" }, `${method} ${path}${tenant === null ? "" : ` as ${tenant}`}`),
    el("p", { class: "big" }, status === null ? "No response" : redirected ? "3xx Redirect" : `${status} ${reasonPhrase(status)}`),
    el("p", {}, explain(response)),
  );
  const sections = [head, timing(response)];
  if (response.limits.length > 0) sections.push(section("Quota", quota(response)));
  if (status !== null && !redirected) {
    sections.push(section("Headers", headers(response.headers)), section("Body", bodySection(response.body)));
  }
  return sections;
}

/** Explains the response. */
function explain(response) {
  const { status, outcome, error, problem, limits, headerError, redirected, limiterNote } = response;
  if (error !== null) return `${error}.`;
  if (headerError !== null) return `Invalid rate limit headers: ${headerError}.`;
  if (outcome === "refused" && status !== 429) {
    return `Refused before any limit was checked: ${problem?.detail ?? "no reason given"}. The request did not reach the origin.`;
  }
  if (outcome === "refused") {
    const names = problem?.violated ?? limits.filter(({ remaining }) => remaining === 0).map(({ name }) => name);
    const by = names.length > 0 ? `Refused by ${names.map((name) => `“${name}”`).join(" and ")}` : "Refused";
    const ms = retryAfterMs(response);
    const retry = ms === null ? " It can never be allowed." : ` Retry after ${duration(ms)}.`;
    return `${by}. The request did not reach the origin and used no quota.${retry}`;
  }
  if (outcome === "failed") {
    return problem?.detail ? `Failed: ${problem.detail}.` : "Failed in sluicegate or in the origin.";
  }
  if (limiterNote === "unjudged") return "Allowed without a check: Redis was unavailable, and the outage policy allows requests then.";
  if (limiterNote === "shadow") return "Allowed, although a limit is exceeded: it runs in shadow mode, which only reports.";
  if (limiterNote === "exempt") return "Allowed: this path is exempt from limits.";
  if (redirected) return "Allowed. The origin sent a redirect, and a browser hides its headers from a page.";
  if (status === 429) return "Allowed. The status 429 comes from the origin itself.";
  return limits.length === 0
    ? "Allowed, without a RateLimit header: no limit applies here."
    : "Allowed. This is the response of the origin.";
}

function timing({ sentAt, ms, limiterMs }) {
  const pairs = [["Sent", `+${(sentAt / 1000).toFixed(2)} s`]];
  if (ms !== null) pairs.push(["Response time", `${measuredMs(ms)} ms`]);
  if (limiterMs !== null) pairs.push(["Limiter time", `${reportedMs(limiterMs)} ms`]);
  return el("dl", { class: "timing" }, ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/**
 * Describes each limit. The parameter `t` is the time until the quota is full, or the time to wait after a refusal.
 */
function quota({ limits, outcome }) {
  const then = outcome === "refused" ? "retry after" : "full in";
  return el(
    "ul",
    { class: "quota" },
    ...limits.map(({ name, remaining, reset, policy }) =>
      el(
        "li",
        {},
        el("strong", {}, name),
        `: ${number(remaining)} remaining`,
        policy === null ? null : ` (${describePolicy(policy)})`,
        policy?.shadow ? ", shadow mode" : null,
        reset === null ? null : `, ${then} ${duration(reset * 1000)}`,
      ),
    ),
  );
}

function headers(list) {
  const sorted = list.toSorted(([a], [b]) => SLUICEGATE_HEADERS.has(b) - SLUICEGATE_HEADERS.has(a));
  return el(
    "dl",
    { class: "headers" },
    ...sorted.map(([name, value]) => el("div", { class: SLUICEGATE_HEADERS.has(name) ? "ours" : null }, el("dt", {}, name), el("dd", {}, value))),
  );
}

function bodySection(body) {
  if (body === null) return el("p", { class: "empty" }, "Loading.");
  const note = body.note === null ? null : el("p", { class: "empty" }, body.note);
  if (body.text === "") return note ?? el("p", { class: "empty" }, "No body.");
  return el("div", {}, el("pre", {}, pretty(body.text)), note, el("p", { class: "empty" }, pluralize(body.text.length, "character")));
}

/** Indents JSON, and returns any other text unchanged. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function section(name, content) {
  return el("section", {}, el("h3", {}, name), content);
}
