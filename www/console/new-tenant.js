// The dialog that creates a tenant.

import { byId, el, setInvalid } from "../page/dom.js";
import { fragment } from "./router.js";

/** Connects the button and the dialog. `onCreate(tenant)` is called when a tenant was created. Returns `clear()`. */
export function newTenant({ admin, plans, onCreate }) {
  const dialog = byId("create");
  const form = byId("create-form");
  const { id, plan } = form.elements;
  const problem = byId("create-problem");

  const showProblem = (...content) => {
    problem.replaceChildren(...content);
    setInvalid(id, content.length > 0);
  };
  byId("new-tenant").addEventListener("click", async () => {
    form.reset();
    showProblem();
    dialog.showModal();
    const names = Object.keys(await plans.byName());
    plan.replaceChildren(...names.map((name) => el("option", {}, name)));
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = byId("create-action");
    if (button.disabled) return;
    const wanted = id.value.trim();
    button.disabled = true;
    const response = await admin.call("POST", "/tenants", { id: wanted, plan: plan.value });
    button.disabled = false;
    if (response.ok) {
      dialog.close();
      return onCreate(response.body);
    }
    const isTaken = response.problem === "tenant-exists";
    showProblem(response.message, ...(isTaken ? [" ", el("a", { href: fragment("tenants", wanted) }, `Open ${wanted}`)] : []));
    id.focus();
  });
  problem.addEventListener("click", ({ target }) => target.tagName === "A" && dialog.close());
  byId("create-cancel").addEventListener("click", () => dialog.close());
  id.addEventListener("input", () => showProblem());

  return {
    clear() {
      dialog.close();
      plan.replaceChildren();
    },
  };
}
