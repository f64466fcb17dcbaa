// The tenant panel: creates a tenant with an API key, overrides its limits, and deletes it.

import { byId, el } from "./dom.js";
import { describePolicy, number } from "./format.js";
import { peek, UNUSED_SUBJECT } from "./peek.js";
import { quotaBar } from "./quota-bar.js";
import { capacity } from "./response.js";

/**
 * Connects the forms. `onIdentity({ tenant, key })` is called when a key is created, and with null when it is
 * deleted.
 *
 * Returns `open(page)` and `close()`, to be called when the admin API is unlocked and locked,
 * `showQuota(response)`, which shows the remaining quota of a response, and `refresh()`, which reads the quota over
 * the admin API.
 */
export function tenantPanel({ admin, parsers, onIdentity }) {
  const form = byId("tenant-form");
  const card = byId("tenant-card");
  const { plan, id } = form.elements;
  const limit = byId("limit-name");
  const value = byId("limit-value");
  const problem = byId("tenant-problem");
  const status = byId("tenant-status");
  let identity = null;
  let overrides = new Map();

  const showStatus = (text) => {
    problem.textContent = "";
    status.textContent = text;
  };
  const showProblem = (text) => {
    problem.textContent = text;
    status.textContent = "";
  };
  const path = () => `/tenants/${encodeURIComponent(identity.tenant)}`;

  /** Shows the limits of the selected plan. */
  const preview = async () => {
    const wanted = plan.value.trim();
    for (const button of byId("plans").children) button.setAttribute("aria-pressed", String(button.textContent === wanted));
    if (wanted === "") return byId("plan-limits").replaceChildren();
    const { limits, message } = await peek(admin, parsers, { subject: UNUSED_SUBJECT, plan: wanted });
    if (wanted !== plan.value.trim()) return;
    showProblem(message ?? "");
    byId("plan-limits").replaceChildren(...(limits ?? []).map(({ name, policy }) => el("li", {}, el("b", {}, name), ` ${describePolicy(policy)}`)));
  };
  /**
   * Shows a button for each plan that is known to exist: the common ones that do, and those of existing tenants.
   */
  const showPlans = async (used) => {
    const common = COMMON_PLANS.filter((name) => !used.includes(name));
    const found = await Promise.all(common.map((name) => peek(admin, parsers, { subject: UNUSED_SUBJECT, plan: name })));
    const names = [...common.filter((_, index) => found[index].limits !== null), ...used].slice(0, MAX_PLANS);
    byId("plans").replaceChildren(...names.map((name) => el("button", { type: "button", "aria-pressed": "false" }, name)));
    if (plan.value === "") plan.value = names[0] ?? "";
    await preview();
  };
  const refresh = async () => {
    if (identity === null || admin.token === null) return;
    const { limits, message } = await peek(admin, parsers, { tenant: identity.tenant });
    if (limits === null) return showProblem(message);
    showLimits(limits);
  };
  const showLimits = (limits) => {
    byId("tenant-limits").replaceChildren(...limits.map((one) => quotaItem(one, overrides.has(one.name))));
    const names = limits.map(({ name }) => name);
    if ([...limit.options].map((option) => option.value).join() !== names.join()) {
      limit.replaceChildren(...names.map((name) => el("option", {}, name)));
      suggest(limits);
    }
    byId("reset-limits").disabled = overrides.size === 0;
  };
  /** Suggests four times the quota of the plan. */
  const suggest = (limits) => {
    const chosen = limits.find(({ name }) => name === limit.value);
    if (chosen?.policy) value.value = chosen.policy.quota * 4;
  };
  const setOverrides = async (changes, done) => {
    const response = await admin.call("PATCH", path(), { overrides: changes });
    if (!response.ok) return showProblem(response.message);
    overrides = new Map(Object.entries(response.body.overrides));
    showStatus(done);
    await refresh();
  };
  const show = () => {
    form.hidden = admin.token === null || identity !== null;
    card.hidden = admin.token === null || identity === null;
  };
  const forgetTenant = () => {
    identity = null;
    overrides = new Map();
    limit.replaceChildren();
    id.value = randomId();
    show();
    onIdentity(null);
  };

  byId("plans").addEventListener("click", ({ target }) => {
    if (target.tagName !== "BUTTON") return;
    plan.value = target.textContent;
    preview();
  });
  plan.addEventListener("change", preview);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = id.value.trim();
    showStatus("");
    byId("create").disabled = true;
    const created = await admin.call("POST", "/tenants", { id: name, plan: plan.value.trim() });
    const made = created.ok ? await admin.call("POST", `/tenants/${encodeURIComponent(name)}/keys`, {}) : created;
    byId("create").disabled = false;
    if (!made.ok) return showProblem(made.message);
    identity = { tenant: name, key: made.body.key };
    byId("tenant-name").textContent = `${name} (plan ${created.body.plan})`;
    byId("key").textContent = identity.key;
    show();
    showStatus("Created. The requests below use its API key.");
    byId("tenant-name").focus({ preventScroll: true });
    onIdentity(identity);
    await refresh();
  });
  limit.addEventListener("change", async () => {
    const { limits } = await peek(admin, parsers, { tenant: identity.tenant });
    if (limits !== null) suggest(limits);
  });
  byId("limit-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = value.valueAsNumber;
    if (!Number.isSafeInteger(wanted) || wanted < 1) {
      showProblem("New limit: enter a whole number of at least 1.");
      return value.focus();
    }
    setOverrides({ [limit.value]: { limit: wanted } }, `${limit.value} is now ${number(wanted)}, for this tenant only. The next request here uses it. Other Worker instances use it within 30 s by default.`);
  });
  byId("reset-limits").addEventListener("click", async () => {
    await setOverrides(Object.fromEntries([...overrides.keys()].map((name) => [name, null])), "Overrides removed. The limits of the plan apply again.");
    limit.focus();
  });
  byId("delete-tenant").addEventListener("click", async () => {
    const { tenant: name } = identity;
    const response = await admin.call("DELETE", path());
    if (!response.ok && response.problem !== "tenant-not-found") return showProblem(response.message);
    forgetTenant();
    showStatus(`Tenant ${name} and its API key are deleted.`);
    id.focus();
  });
  id.value = randomId();

  return {
    refresh,
    showQuota({ tenant: name, limits }) {
      if (name === identity?.tenant && limits.length > 0) showLimits(limits);
    },
    open({ tenants }) {
      show();
      showStatus("");
      return showPlans([...new Set(tenants.map((one) => one.plan))]);
    },
    close() {
      showStatus("");
      show();
    },
  };
}

/** Describes a limit, with a bar for the remaining quota. */
function quotaItem({ name, remaining, policy }, isOverride) {
  const full = capacity(policy) ?? remaining;
  return el(
    "li",
    {},
    el("b", {}, name),
    ` ${policy === null ? "" : describePolicy(policy)}`,
    isOverride ? el("span", { class: "tag" }, "override") : null,
    quotaBar(remaining, full),
    el("span", { class: "left" }, `${number(remaining)} of ${number(full)} remaining`),
  );
}

/** Returns a random tenant id. */
function randomId() {
  return `demo-${crypto.randomUUID().slice(0, 6)}`;
}

const COMMON_PLANS = ["free", "pro"];
const MAX_PLANS = 4;
