// The explanation of a request, as elements.

import { el } from "../page/dom.js";
import { number, pluralize } from "../page/format.js";
import { algorithmName, describeLimit } from "./limit-text.js";
import { fragment } from "./router.js";

/** Returns the elements that show an answer of `POST /explain`. */
export function explanation(answer) {
  const { outcome, refusal, route, caller, cost, limits, settle, shadow, on_outage: onOutage, onward, steps } = answer;
  const facts = [
    ["Route", route === null ? "none: the plan alone" : el("span", {}, el("code", {}, route.match), ` routes[${route.index}]`)],
    ["Caller", caller === null ? null : describeCaller(caller)],
    ["Plan", caller?.plan ?? null],
    ["Cost", cost === null ? null : `${pluralize(cost.units, "unit")}, ${describeSource(cost.from)}`],
    ["Real cost", settle.length === 0 ? null : settle.map(({ limit, from }) => (limit === null ? from : `${limit}: ${from}`)).join(", ")],
    ["If Redis fails", onOutage === null ? null : OUTAGE[onOutage]],
    ["Origin", onward === null ? null : el("code", {}, onward.url)],
    ["Headers set", onward === null || onward.set.length === 0 ? null : onward.set.join(", ")],
    ["Headers removed", onward === null || onward.removed.length === 0 ? null : onward.removed.join(", ")],
  ].filter(([, value]) => value !== null);
  return [
    el("p", { class: "verdict" }, el("span", { class: "state", "data-state": outcome }, OUTCOMES[outcome]), refusal === null ? null : ` ${refusal.status} ${refusal.problem}: ${refusal.detail}`, shadow ? " Shadow mode: it is forwarded even if a limit refuses it." : null),
    el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    ...(limits.length === 0 ? [] : [limitTable(limits)]),
    el("h3", {}, "Why"),
    el("ol", { class: "steps" }, ...steps.map((step) => el("li", {}, step))),
  ];
}

function limitTable(limits) {
  const row = (limit) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, limit.name),
      el("td", { "data-label": "Quota" }, `${algorithmName(limit.algorithm)}: ${describeLimit(limit)}`),
      el("td", { class: "number", "data-label": "Charge" }, number(limit.charge)),
      el("td", { "data-label": "From" }, limit.from),
      el("td", { "data-label": "Key" }, el("code", {}, limit.key)),
    );
  const head = [["Limit"], ["Quota"], ["Charge", "number"], ["From"], ["Key in Redis"]];
  return el(
    "table",
    { class: "rows" },
    el("caption", { class: "hidden-text" }, "The limits that check it"),
    el("thead", {}, el("tr", {}, ...head.map(([name, style]) => el("th", { scope: "col", class: style ?? null }, name)))),
    el("tbody", {}, ...limits.map(row)),
  );
}

function describeCaller({ kind, subject, tenant, verified }) {
  const who = tenant === null ? `${KINDS[kind]} ${subject}` : el("a", { href: fragment("tenants", tenant) }, tenant);
  const trust = { true: ", verified", false: ", taken as valid", null: "" }[String(verified)];
  return el("span", {}, who, tenant === null ? trust : ` (tenant${trust})`);
}

function describeSource(from) {
  return { default: "the default", route: "from the route" }[from] ?? `from ${from}`;
}

const KINDS = { tenant: "tenant", token: "token", header: "header", address: "address" };
const OUTCOMES = {
  checked: "The limits decide",
  exempt: "Forwarded without a check",
  preflight: "A preflight, not limited",
  refused: "Refused",
  own: "A path of sluicegate itself",
};
const OUTAGE = {
  open: "open: forwarded unchecked",
  closed: "closed: refused with 503",
  local: "local: limited in the memory of the isolate",
};
