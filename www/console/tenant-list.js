// The list of tenants, and its search.

import { byId, el } from "../page/dom.js";
import { number, pluralize } from "../page/format.js";
import { fragment } from "./router.js";
import { TenantSearch } from "./tenant-search.js";

/**
 * Connects the search. Returns `open(plans)`, which searches for the first time, `add(tenant)`, `update(tenant)` and
 * `remove(id)`, which change one row, `choose(id)`, which marks a row, and `clear()`.
 */
export function tenantList({ admin }) {
  const form = byId("tenant-search");
  const { query, plan, status } = form.elements;
  const more = byId("more-tenants");
  const count = byId("tenant-count");
  let tenants = new Map();
  let search = null;
  let chosen = null;
  let timer = null;

  const row = ({ id, plan: name, status: state, overrides, keys }) =>
    el(
      "tr",
      { class: id === chosen ? "chosen" : null },
      el("th", { scope: "row" }, el("a", { href: fragment("tenants", id), "aria-current": id === chosen ? "true" : null }, id)),
      el("td", {}, name),
      el("td", {}, el("span", { class: "state", "data-state": state }, state)),
      el("td", { class: "number" }, orDash(Object.keys(overrides).length)),
      el("td", { class: "number" }, orDash(keys.length)),
    );
  const render = () => byId("tenant-rows").replaceChildren(...[...tenants.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(row));
  const summarize = (failure) => {
    more.hidden = search.done;
    if (failure !== null) count.textContent = failure.message;
    else if (tenants.size === 0 && search.done) count.textContent = query.value.trim() === "" && plan.value === "" && status.value === "" ? "No tenants yet." : "No tenant matches.";
    else {
      const read = search.examined > tenants.size ? ` in ${number(search.examined)} read` : "";
      count.textContent = `${pluralize(tenants.size, "tenant")}${read}${search.done ? "" : ", there are more"}.`;
    }
  };
  const load = async () => {
    const running = search;
    const { tenants: found, failure } = await running.next(PAGE);
    if (search !== running) return;
    for (const tenant of found) tenants.set(tenant.id, tenant);
    render();
    summarize(failure);
  };
  const begin = async () => {
    clearTimeout(timer);
    const values = { prefix: query.value, plan: plan.value, status: status.value };
    const call = (...request) => admin.call(...request);
    search = new TenantSearch(call, values);
    const running = search;
    const { tenants: found, failure } = await running.next(PAGE);
    // The old rows stay until the new ones are there.
    if (search !== running) return;
    tenants = new Map(found.map((tenant) => [tenant.id, tenant]));
    render();
    summarize(failure);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  query.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(begin, TYPING_MS);
  });
  plan.addEventListener("change", begin);
  status.addEventListener("change", begin);
  more.addEventListener("click", load);

  return {
    open(plans) {
      plan.replaceChildren(plan.options[0], ...Object.keys(plans).map((name) => el("option", {}, name)));
      return begin();
    },
    add(tenant) {
      tenants.set(tenant.id, tenant);
      render();
      if (search !== null) summarize(null);
    },
    update(tenant) {
      if (!tenants.has(tenant.id)) return;
      tenants.set(tenant.id, tenant);
      render();
    },
    remove(id) {
      tenants.delete(id);
      render();
      if (search !== null) summarize(null);
    },
    choose(id) {
      chosen = id;
      render();
    },
    clear() {
      clearTimeout(timer);
      search = null;
      tenants.clear();
      chosen = null;
      plan.length = 1;
      form.reset();
      render();
      count.textContent = "";
      more.hidden = true;
    },
  };
}

function orDash(value) {
  return value === 0 ? "–" : number(value);
}

// On the first press, and on each press for more.
const PAGE = 50;
// Between two keys of somebody who types.
const TYPING_MS = 200;
