// The API keys of a tenant. A new key is shown once, until the operator hides it or leaves the tenant.

import { byId, el, setInvalid } from "../page/dom.js";
import { confirm } from "./confirm.js";
import { fieldToTimestamp, utc } from "./utc.js";

/** Connects the form and the table. `change(done, send)` makes a change. Returns `render(tenant)` and `hideKey()`. */
export function tenantKeys({ change }) {
  const form = byId("key-form");
  const { expires } = form.elements;
  const problem = byId("key-problem");
  const created = byId("created-key");

  const showProblem = (text) => {
    problem.textContent = text;
    setInvalid(expires, text !== "");
  };
  const hideKey = () => {
    byId("key").textContent = "";
    byId("copy-status").textContent = "";
    created.hidden = true;
  };
  const row = (tenant, { id, created: since, expires: end }) => {
    const expired = end !== null && Date.parse(end) <= Date.now();
    const revoke = el("button", { type: "button", class: "small", "aria-label": `Revoke the key ${id}` }, "Revoke");
    revoke.addEventListener("click", async () => {
      const text = `Requests of ${tenant.id} with this key become anonymous or get 401, in every isolate within the tenant_ttl of the configuration (30 s by default).`;
      if (!(await confirm({ title: `Revoke the key ${id}?`, text, action: "Revoke" }))) return;
      change(`The key ${id} is revoked.`, (record) => record.revokeKey(id));
    });
    return el(
      "tr",
      { class: expired ? "past" : null },
      el("th", { scope: "row" }, el("code", {}, id)),
      el("td", { "data-label": "Created" }, utc(since)),
      el("td", { "data-label": "Expires" }, `${utc(end)}${expired ? " (expired)" : ""}`),
      el("td", { class: "action" }, revoke),
    );
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (expires.validity.badInput) {
      showProblem("Expires: enter a date and a time, or nothing.");
      return expires.focus();
    }
    showProblem("");
    hideKey();
    const response = await change("Key created.", (record) => record.createKey(fieldToTimestamp(expires.value)), showProblem);
    if (!response?.ok) return;
    expires.value = "";
    byId("key").textContent = response.body.key;
    created.hidden = false;
    byId("created-key-title").focus();
  });
  byId("copy-key").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("key").textContent);
      byId("copy-status").textContent = "Copied.";
    } catch {
      byId("copy-status").textContent = "The browser does not allow it: select the key and copy it.";
    }
  });
  byId("hide-key").addEventListener("click", () => {
    hideKey();
    expires.focus();
  });

  return {
    hideKey,
    render(tenant) {
      byId("key-rows").replaceChildren(...tenant.keys.map((key) => row(tenant, key)));
      byId("keys").hidden = tenant.keys.length === 0;
      byId("no-keys").hidden = tenant.keys.length > 0;
      showProblem("");
    },
  };
}
