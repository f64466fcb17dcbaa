// One response in full: what it means, its headers, its body.

import { retryAfterMs } from "./response.js";
import { byId, el } from "./dom.js";
import { describePolicy, duration, measuredMs, number, pluralize, reasonPhrase, reportedMs } from "./format.js";

const SLUICEGATE_HEADERS = new Set(["ratelimit", "ratelimit-policy", "retry-after", "server-timing"]);

/** Wires the panel: always there on a wide window, a sheet over the page elsewhere. */
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
      ...(shown === null ? [el("p", { class: "empty" }, "Choose a response to see its headers and body.")] : parts(shown)),
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
    /** Shows a response. A sheet that covers the page takes the focus. */
    show(response) {
      shown = response;
      render();
      cover(true);
      if (!wide.matches) title.focus({ preventScroll: true });
    },
    /** The body of a response has come. */
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
    sections.push(section("Headers", headers(response.headers)), section("Body", bodyOf(response.body)));
  }
  return sections;
}

/** The response in a message. */
function explain(response) {
  const { status, outcome, error, problem, limits, headerError, redirected, limiterNote } = response;
  if (error !== null) return `There was ${error}.`;
  if (headerError !== null) return `The gate's headers could not be read: ${headerError}.`;
  if (outcome === "refused" && status !== 429) {
    return `Refused before any limit was asked: ${problem?.detail ?? "the gate does not say why"}. The origin never saw this request.`;
  }
  if (outcome === "refused") {
    const names = problem?.violated ?? limits.filter(({ remaining }) => remaining === 0).map(({ name }) => name);
    const by = names.length > 0 ? `Refused by ${names.map((name) => `“${name}”`).join(" and ")}` : "Refused";
    const ms = retryAfterMs(response);
    const when = ms === null ? " No waiting would let it pass." : ` The same request passes in ${duration(ms)}.`;
    return `${by}: the origin never saw this request, and it cost no quota.${when}`;
  }
  if (outcome === "failed") {
    return problem?.detail ? `Not served: ${problem.detail}.` : "Not served: the gate or the origin failed.";
  }
  if (limiterNote === "unjudged") return "Let through unjudged: Redis did not respond in time, and the gate is configured to let requests pass then.";
  if (limiterNote === "shadow") return "Let through, although a limit is used up: on this path the limits only watch.";
  if (limiterNote === "exempt") return "Let through: requests for this path are not limited.";
  if (redirected) return "Let through; the origin redirects. A browser hides the headers of a redirect from a page.";
  if (status === 429) return "Let through to the origin, which has answered 429 itself.";
  return limits.length === 0
    ? "Let through, without a RateLimit header: no limit applies here."
    : "Let through to the origin; this is the origin's response.";
}

function timing({ sentAt, ms, limiterMs }) {
  const pairs = [["Sent", `+${(sentAt / 1000).toFixed(2)} s`]];
  if (ms !== null) pairs.push(["Answered after", `${measuredMs(ms)} ms`]);
  if (limiterMs !== null) pairs.push(["of that, limiter", `${reportedMs(limiterMs)} ms`]);
  return el("dl", { class: "timing" }, ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** Each limit in words. The core's `t` is the time to the full quota, and on a refusal the time to wait. */
function quota({ limits, outcome }) {
  const then = outcome === "refused" ? "admits it within" : "full again within";
  return el(
    "ul",
    { class: "quota" },
    ...limits.map(({ name, remaining, reset, policy }) =>
      el(
        "li",
        {},
        el("strong", {}, name),
        `: ${number(remaining)} left`,
        policy === null ? null : ` of ${describePolicy(policy)}`,
        policy?.shadow ? " (only watches)" : null,
        reset === null ? null : `; ${then} ${duration(reset * 1000)}`,
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

function bodyOf(body) {
  if (body === null) return el("p", { class: "empty" }, "Still on its way.");
  const note = body.note === null ? null : el("p", { class: "empty" }, body.note);
  if (body.text === "") return note ?? el("p", { class: "empty" }, "no body");
  return el("div", {}, el("pre", {}, pretty(body.text)), note, el("p", { class: "empty" }, pluralize(body.text.length, "character")));
}

/** JSON on several lines; anything else as it is. */
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
