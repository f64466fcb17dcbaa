// One tenant: what it is, and every change of it. A change applies only to the version that is shown.

import { byId, el, restoreFocus } from "../page/dom.js";
import { confirm } from "./confirm.js";
import { explainFailure } from "./failure.js";
import { fragment } from "./router.js";
import { differences } from "./tenant-differences.js";
import { tenantKeys } from "./tenant-keys.js";
import { tenantOverrides } from "./tenant-overrides.js";
import { tenantPlan } from "./tenant-plan.js";
import { TenantRecord } from "./tenant-record.js";

/**
 * Connects the panel. `onChange(tenant)` is called when a tenant was read or changed, and `onGone(id)` when it no longer
 * exists.
 *
 * Returns `show(id)`, which reads a tenant, and `clear()`.
 */
export function tenantDetail({ admin, plans, onChange, onGone }) {
  const panel = byId("tenant");
  const conflict = byId("tenant-conflict");
  const done = byId("tenant-done");
  let record = null;
  let wanted = null;
  let isBusy = false;

  /**
   * Makes a change: `send(record)` resolves to the response. Shows `text` if it succeeds. Calls `onInvalid(message)` if
   * the API finds the input wrong. Returns the response, or null if another change is still running or the operator has left.
   */
  const change = async (text, send, onInvalid = null) => {
    if (isBusy) return null;
    const changed = record;
    setBusy(true);
    say("");
    const response = await send(changed);
    setBusy(false);
    if (record !== changed) return null;
    if (response.ok) {
      say(text);
      await render();
      // The operator may have left meanwhile, and a new key must not stay behind.
      if (record !== changed) return null;
    } else if (response.status === 400 && onInvalid !== null) onInvalid(response.message);
    else if (admin.token !== null) showFailure(response);
    restoreFocus(byId("tenant-name"));
    return response;
  };
  const parts = {
    plan: tenantPlan({ change }),
    overrides: tenantOverrides({ change }),
    keys: tenantKeys({ change }),
  };

  const setBusy = (busy) => {
    isBusy = busy;
    panel.setAttribute("aria-busy", String(busy));
  };
  const say = (text) => {
    conflict.replaceChildren();
    done.textContent = text;
  };
  const showFailure = (response) => {
    const { title, text, offer } = explainFailure(response);
    const button = el("button", { type: "button", class: "small" }, offer === "close" ? "Close" : "Reload");
    button.addEventListener("click", offer === "close" ? leave : reload);
    done.textContent = "";
    conflict.replaceChildren(el("p", {}, el("b", {}, title), ` ${text}`), ...(offer === null ? [] : [button]));
  };
  const leave = () => {
    const { id } = record.tenant;
    clear();
    onGone(id);
  };
  /** Reads the newest version, and says what somebody else has changed. What was typed into the forms stays. */
  const reload = async () => {
    if (isBusy) return;
    const reloaded = record;
    const before = record.tenant;
    setBusy(true);
    const response = await reloaded.reload();
    setBusy(false);
    if (record !== reloaded) return;
    if (!response.ok) return showFailure(response);
    const found = differences(before, response.body);
    say(found.length === 0 ? "Up to date." : `Changed by somebody else: ${found.join("; ")}.`);
    await render(true);
    byId("tenant-name").focus();
  };
  const render = async (keepInput = false) => {
    const { tenant } = record;
    const known = await plans.byName();
    if (record?.tenant !== tenant) return;
    byId("no-tenant").hidden = true;
    panel.hidden = false;
    byId("tenant-name").textContent = tenant.id;
    byId("tenant-state").textContent = tenant.status;
    byId("tenant-state").dataset.state = tenant.status;
    byId("tenant-usage").href = fragment("usage", tenant.id);
    parts.plan.render(tenant, known);
    parts.overrides.render(tenant, known, keepInput);
    parts.keys.render(tenant);
    const metadata = Object.entries(tenant.metadata);
    byId("metadata").hidden = metadata.length === 0;
    byId("metadata-facts").replaceChildren(...metadata.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]));
    onChange(tenant);
  };
  const clear = () => {
    // What it asks is about the tenant that is left: the browser can go back while it is open.
    byId("confirm").close();
    record = null;
    wanted = null;
    say("");
    parts.keys.hideKey();
    for (const id of CONTENTS) byId(id).replaceChildren();
    byId("tenant-usage").href = fragment("usage");
    for (const id of ["override-form", "key-form"]) byId(id).reset();
    panel.hidden = true;
    byId("no-tenant").hidden = false;
    byId("no-tenant").textContent = "Choose a tenant to see its plan, overrides and keys.";
  };

  byId("tenant-reload").addEventListener("click", reload);
  byId("delete-tenant").addEventListener("click", async () => {
    const deleted = record;
    const { id } = deleted.tenant;
    const text = "Its keys stop working and the counts of its limits are gone. This cannot be undone. Recorded days of its usage stay until they expire.";
    if (!(await confirm({ title: `Delete ${id}?`, text, action: "Delete", typed: id })) || isBusy || record !== deleted) return;
    setBusy(true);
    const response = await deleted.delete();
    setBusy(false);
    if (record !== deleted) return;
    if (response.ok) leave();
    else if (admin.token !== null) showFailure(response);
  });

  return {
    clear,
    async show(id) {
      if (record?.tenant.id === id) return;
      clear();
      wanted = id;
      const found = await TenantRecord.read(admin, id);
      if (wanted !== id) return;
      if (found.record === null) {
        if (admin.token !== null) byId("no-tenant").textContent = found.response.message;
        return;
      }
      record = found.record;
      await render();
      byId("tenant-name").focus();
    },
  };
}

// What a tenant fills.
const CONTENTS = ["tenant-name", "tenant-state", "plan", "plan-limits", "override-rows", "override-limit", "key-rows", "metadata-facts"];
