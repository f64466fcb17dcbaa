// The overrides of a tenant: other numbers for limits of its plan, until a date or for good.

import { byId, el, setInvalid } from "../page/dom.js";
import { number } from "../page/format.js";
import { fieldToTimestamp, timestampToField, utc } from "./utc.js";

/**
 * Connects the form and the table. `change(done, send, onInvalid)` makes a change. Returns `render(tenant, plans,
 * keepInput)`.
 */
export function tenantOverrides({ change }) {
  const form = byId("override-form");
  const { limit, value, burst, until } = form.elements;
  const problem = byId("override-problem");
  let overrides = {};
  let limits = new Map();

  /** Shows what applies to the chosen limit now. */
  const fill = () => {
    const own = overrides[limit.value];
    value.value = own?.limit ?? limits.get(limit.value)?.limit ?? "";
    burst.value = own?.burst ?? "";
    until.value = hasEnded(own?.until) ? "" : timestampToField(own?.until);
    byId("override-burst-field").hidden = limits.get(limit.value)?.algorithm !== "token_bucket";
    showProblem(null, "");
  };
  const showProblem = (field, text) => {
    for (const one of [value, burst, until]) setInvalid(one, one === field);
    problem.textContent = text;
    field?.focus();
  };
  const row = ([name, { limit: wanted, burst: most, until: end }]) => {
    const ended = hasEnded(end);
    const remove = el("button", { type: "button", class: "small", "aria-label": `Remove the override of ${name}` }, "Remove");
    remove.addEventListener("click", () => change(`The override of ${name} is removed.`, (record) => record.patch({ overrides: { [name]: null } })));
    const plan = limits.get(name);
    return el(
      "tr",
      { class: ended ? "past" : null },
      el("th", { scope: "row" }, name),
      el("td", { class: "number", "data-label": "Plan" }, plan === undefined ? "–" : number(plan.limit)),
      el("td", { class: "number", "data-label": "Override" }, number(wanted)),
      el("td", { class: most === undefined ? "number none" : "number", "data-label": "Burst" }, most === undefined ? "–" : number(most)),
      el("td", { "data-label": "Ends" }, `${utc(end)}${ended ? " (ended)" : ""}`),
      el("td", { class: "action" }, remove),
    );
  };

  limit.addEventListener("change", fill);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [wanted, most] = [value.valueAsNumber, burst.valueAsNumber];
    const isQuota = (count) => Number.isSafeInteger(count) && count >= 1;
    if (!isQuota(wanted)) return showProblem(value, "New limit: enter a whole number of at least 1.");
    if (!Number.isNaN(most) && !isQuota(most)) return showProblem(burst, "Burst: enter a whole number of at least 1, or nothing.");
    if (until.validity.badInput) return showProblem(until, "Ends: enter a date and a time, or nothing.");
    showProblem(null, "");
    const override = { limit: wanted, burst: Number.isNaN(most) ? null : most, until: fieldToTimestamp(until.value) };
    const name = limit.value;
    const end = override.until === null ? "" : ` until ${utc(override.until)} UTC`;
    change(`${name} is now ${number(wanted)} for this tenant${end}.`, (record) => record.patch({ overrides: { [name]: override } }), (text) => showProblem(null, text));
  });

  return {
    render(tenant, plans, keepInput) {
      ({ overrides } = tenant);
      limits = new Map((plans[tenant.plan]?.limits ?? []).map((one) => [one.name, one]));
      const all = Object.entries(overrides).sort(([a], [b]) => (a < b ? -1 : 1));
      byId("override-rows").replaceChildren(...all.map(row));
      byId("overrides").hidden = all.length === 0;
      byId("no-overrides").hidden = all.length > 0;
      const chosen = limit.value;
      limit.replaceChildren(...[...limits.keys()].map((name) => el("option", {}, name)));
      if (limits.has(chosen)) limit.value = chosen;
      form.hidden = limits.size === 0;
      if (!keepInput) fill();
    },
  };
}

/** Returns whether an override with this end, if any, no longer applies. */
function hasEnded(until) {
  return until !== undefined && Date.parse(until) <= Date.now();
}
