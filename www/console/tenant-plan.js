// The plan of a tenant, and whether its requests are refused.

import { byId, el } from "../page/dom.js";
import { confirm } from "./confirm.js";
import { algorithmName, describeLimit } from "./limit-text.js";

/** Connects the form. `change(done, send)` makes a change. Returns `render(tenant, plans)`. */
export function tenantPlan({ change }) {
  const form = byId("plan-form");
  const select = byId("plan");
  const button = byId("suspend");
  let tenant = null;
  let plans = {};

  const preview = () => {
    const limits = plans[select.value]?.limits ?? [];
    byId("plan-limits").replaceChildren(...limits.map((limit) => el("li", {}, el("b", {}, limit.name), ` ${algorithmName(limit.algorithm)}: ${describeLimit(limit)}`)));
  };
  select.addEventListener("change", preview);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const plan = select.value;
    change(`The plan is now ${plan}.`, (record) => record.patch({ plan }));
  });
  button.addEventListener("click", async () => {
    if (tenant.status === "suspended") return change("Active again.", (record) => record.patch({ status: "active" }));
    const { id } = tenant;
    const text = "All its requests get 403, in every isolate within the tenant_ttl of the configuration (30 s by default). Keys, plan and usage stay.";
    if (!(await confirm({ title: `Suspend ${id}?`, text, action: "Suspend" }))) return;
    change("Suspended. Its requests get 403.", (record) => record.patch({ status: "suspended" }));
  });

  return {
    render(shown, known) {
      tenant = shown;
      plans = known;
      // The configuration may no longer have the plan of the tenant, and may be unreadable.
      const names = [...new Set([...Object.keys(plans), tenant.plan])].sort();
      select.replaceChildren(...names.map((name) => el("option", {}, name)));
      select.value = tenant.plan;
      button.textContent = tenant.status === "suspended" ? "Activate" : "Suspend";
      preview();
    },
  };
}
