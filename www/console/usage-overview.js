// All tenants at a glance: those that used most today, and those near a limit.

import { byId, el } from "../page/dom.js";
import { number } from "../page/format.js";
import { meter } from "./meter.js";
import { fragment } from "./router.js";
import { usedCells } from "./usage-of-tenant.js";
import { timeOfDay } from "./utc.js";

/** Connects the part. `onFailure(message)` is called if it cannot be read. Returns `show()` and `clear()`. */
export function usageOverview({ admin, onFailure }) {
  const part = byId("usage-overview");
  let isShown = false;

  const render = ({ as_of: asOf, reported_at: reportedAt, day, top, near_limit: near, more }) => {
    byId("top-day").textContent = `${day} (UTC)`;
    const most = top[0]?.units ?? 0;
    fill("top", top.map((entry, index) => topRow(entry, index, most)));
    fill("near", near.flatMap(({ limits, ...tenant }) => limits.map((limit) => nearRow(tenant, limit))));
    const time = (timestamp) => timeOfDay(Date.parse(timestamp));
    const reported = reportedAt === null ? "No isolate has reported yet." : `The newest report of an isolate came at ${time(reportedAt)}.`;
    byId("overview-as-of").textContent = `As of ${time(asOf)} UTC. ${reported}${more ? " More tenants may be near a limit." : ""}`;
  };
  const fill = (name, rows) => {
    byId(`${name}-rows`).replaceChildren(...rows);
    byId(name).hidden = rows.length === 0;
    byId(`no-${name}`).hidden = rows.length > 0;
  };
  const clear = () => {
    isShown = false;
    part.hidden = true;
    fill("top", []);
    fill("near", []);
  };

  return {
    clear,
    async show() {
      isShown = true;
      const response = await admin.call("GET", "/overview");
      if (!isShown || admin.token === null) return;
      if (!response.ok) return onFailure(response.message);
      part.hidden = false;
      render(response.body);
    },
  };
}

function topRow({ tenant, plan, status, units, refused }, index, most) {
  return el(
    "tr",
    {},
    el("td", { class: "number rank" }, String(index + 1)),
    el("th", { scope: "row" }, tenantLink(tenant), status === "suspended" ? el("span", { class: "state", "data-state": status }, status) : null),
    el("td", { "data-label": "Plan" }, plan),
    el("td", { class: "used", "data-label": "Units" }, el("span", { class: "gauge" }, meter(units / most, "low"), el("span", { class: "units" }, number(units)))),
    el("td", { class: refused === 0 ? "number none" : "number", "data-label": "Refused" }, refused === 0 ? "–" : number(refused)),
  );
}

function nearRow({ tenant }, { name, route, used, remaining, reset_ms: reset }) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, tenantLink(tenant)),
    el("td", { "data-label": "Limit" }, name, route === undefined ? null : el("small", {}, ` ${route}`)),
    ...usedCells(used, remaining, reset),
  );
}

function tenantLink(id) {
  return el("a", { href: fragment("usage", id) }, id);
}
