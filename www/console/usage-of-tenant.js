// The usage of one tenant: each limit now, and its days.

import { byId, el } from "../page/dom.js";
import { duration, number } from "../page/format.js";
import { historyChart } from "./history-chart.js";
import { fillDays, summarize } from "./history-data.js";
import { algorithmName } from "./limit-text.js";
import { levelOf, meter } from "./meter.js";
import { fragment } from "./router.js";
import { timeOfDay } from "./utc.js";

/** Connects the part. `onFailure(message)` is called if a tenant cannot be read. Returns `show(id)` and `clear()`. */
export function usageOfTenant({ admin, onFailure }) {
  const part = byId("usage-of-tenant");
  const subjects = byId("usage-subjects");
  const chart = historyChart(byId("history-chart"));
  let shown = null;

  const load = async () => {
    const id = shown;
    const values = Object.fromEntries([...subjects.elements].filter(({ name, value }) => name !== "" && value !== "").map(({ name, value }) => [name, value]));
    const query = Object.keys(values).length === 0 ? "" : `?subjects=${encodeURIComponent(JSON.stringify(values))}`;
    const response = await admin.call("GET", `/tenants/${encodeURIComponent(id)}/usage${query}`);
    if (shown !== id) return;
    if (!response.ok) {
      if (admin.token !== null) onFailure(response.message);
      return;
    }
    onFailure("");
    part.hidden = false;
    render(response.body);
  };
  const render = ({ tenant, plan, limits, today, history }) => {
    byId("usage-name").textContent = tenant;
    byId("usage-plan").textContent = `plan ${plan}`;
    byId("usage-edit").href = fragment("tenants", tenant);
    byId("usage-limit-rows").replaceChildren(...limits.map(limitRow));
    byId("usage-as-of").textContent = limits.length === 0 ? "The configuration no longer has this plan." : `As of ${timeOfDay(Date.now())} UTC.`;
    askForSubjects(limits);

    const days = fillDays({ today, history });
    const { total, mean, peak } = summarize(days);
    byId("history-day").textContent = `days in UTC, today is ${today.day}`;
    byId("history-tiles").replaceChildren(
      ...tile("Today, so far", number(today.units)),
      ...tile("90 days", number(total)),
      ...tile("Mean per day", number(mean)),
      ...tile("Peak", peak === null ? "–" : number(peak.units), peak?.day),
    );
    chart.show(days);
    const rows = days.toReversed().filter(({ units }) => units > 0);
    byId("history-rows").replaceChildren(...rows.map(({ day, units }) => el("tr", {}, el("th", { scope: "row" }, day), el("td", { class: "number" }, number(units)))));
  };
  /** Shows a field for each value that limits count by, with what was typed before. */
  const askForSubjects = (limits) => {
    const names = [...new Set(limits.map(({ by }) => by).filter((by) => by !== undefined && by !== "everyone"))];
    subjects.hidden = names.length === 0;
    if ([...subjects.elements].map(({ name }) => name).filter(Boolean).join() === names.join()) return;
    const field = (name, index) =>
      el("div", { class: "field" }, el("label", { for: `subject-${index}` }, name), el("input", { id: `subject-${index}`, name, type: "text", spellcheck: "false", autocapitalize: "off", autocomplete: "off" }));
    subjects.replaceChildren(...names.map(field), ...(names.length === 0 ? [] : [el("button", { type: "submit" }, "Show these values")]));
  };

  byId("usage-reload").addEventListener("click", load);
  subjects.addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });

  return {
    async show(id) {
      if (shown !== id) subjects.replaceChildren();
      shown = id;
      await load();
    },
    clear() {
      shown = null;
      part.hidden = true;
      byId("usage-edit").href = fragment("tenants");
      subjects.replaceChildren();
      for (const id of ["usage-name", "usage-plan", "usage-limit-rows", "history-rows", "history-tiles"]) byId(id).replaceChildren();
      chart.clear();
    },
  };
}

function limitRow({ name, algorithm, limit, by, used, remaining, reset_ms: reset }) {
  const cells = [
    el("th", { scope: "row" }, name, by === undefined ? null : el("small", {}, ` for each ${by}`)),
    el("td", { "data-label": "Algorithm" }, algorithmName(algorithm)),
    el("td", { class: "number", "data-label": "Quota" }, number(limit)),
  ];
  if (used === undefined) return el("tr", {}, ...cells, el("td", { class: "wide", colspan: 3 }, el("span", { class: "hint" }, `Enter a value for ${by} below.`)));
  return el("tr", {}, ...cells, ...usedCells(used, remaining, reset));
}

/** Creates the cells with what is used of a limit, what remains, and when it is full again. */
export function usedCells(used, remaining, reset) {
  const share = used + remaining === 0 ? 0 : used / (used + remaining);
  return [
    el("td", { class: "used", "data-label": "Used", "data-level": levelOf(share) }, el("span", { class: "gauge" }, meter(share), el("span", { class: "share" }, `${Math.floor(share * 100)} %`), el("span", { class: "units" }, number(used)))),
    el("td", { class: "number", "data-label": "Remaining" }, number(remaining)),
    el("td", { class: "number", "data-label": "Full again in" }, reset === 0 ? "now" : duration(reset)),
  ];
}

function tile(name, value, more = undefined) {
  return [el("div", {}, el("dt", {}, name), el("dd", {}, value, more === undefined ? null : el("small", {}, ` ${more}`)))];
}
