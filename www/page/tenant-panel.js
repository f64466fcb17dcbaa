// The tenant of this tab: created with a key, given a limit of its own, deleted again.

import { capacity } from "./response.js";
import { byId, el } from "./dom.js";
import { UNUSED_SUBJECT, peek } from "./peek.js";
import { describePolicy, number } from "./format.js";

/**
 * Wires the forms. `onIdentity({ tenant, key })` is called when there is a key to send with, and with null when it
 * is gone. Of what is returned, `take(response)` shows what a response to this tenant says is left, and `look()` asks.
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
  let own = new Map();

  const showStatus = (text) => {
    problem.textContent = "";
    status.textContent = text;
  };
  const showProblem = (text) => {
    problem.textContent = text;
    status.textContent = "";
  };
  const path = () => `/tenants/${encodeURIComponent(identity.tenant)}`;

  /** Shows what the chosen plan promises. */
  const preview = async () => {
    const wanted = plan.value.trim();
    for (const button of byId("plans").children) button.setAttribute("aria-pressed", String(button.textContent === wanted));
    if (wanted === "") return byId("plan-limits").replaceChildren();
    const { limits, message } = await peek(admin, parsers, { subject: UNUSED_SUBJECT, plan: wanted });
    if (wanted !== plan.value.trim()) return;
    showProblem(message ?? "");
    byId("plan-limits").replaceChildren(...(limits ?? []).map(({ name, policy }) => el("li", {}, el("b", {}, name), ` ${describePolicy(policy)}`)));
  };
  /** Offers the plans that are known to exist: those of tenants, and the usual ones of a development gate. */
  const offer = async (used) => {
    const usual = COMMON_PLANS.filter((name) => !used.includes(name));
    const found = await Promise.all(usual.map((name) => peek(admin, parsers, { subject: UNUSED_SUBJECT, plan: name })));
    const names = [...usual.filter((_, index) => found[index].limits !== null), ...used].slice(0, MAX_PLANS);
    byId("plans").replaceChildren(...names.map((name) => el("button", { type: "button", "aria-pressed": "false" }, name)));
    if (plan.value === "") plan.value = names[0] ?? "";
    await preview();
  };
  const look = async () => {
    if (identity === null || admin.token === null) return;
    const { limits, message } = await peek(admin, parsers, { tenant: identity.tenant });
    if (limits === null) return showProblem(message);
    showLimits(limits);
  };
  const showLimits = (limits) => {
    byId("tenant-limits").replaceChildren(...limits.map((one) => quotaOf(one, own.has(one.name))));
    const names = limits.map(({ name }) => name);
    if ([...limit.options].map((option) => option.value).join() !== names.join()) {
      limit.replaceChildren(...names.map((name) => el("option", {}, name)));
      suggest(limits);
    }
    byId("reset-limits").disabled = own.size === 0;
  };
  /** A number that makes a difference: four times what the plan gives. */
  const suggest = (limits) => {
    const chosen = limits.find(({ name }) => name === limit.value);
    if (chosen?.policy) value.value = chosen.policy.quota * 4;
  };
  const patch = async (overrides, done) => {
    const response = await admin.call("PATCH", path(), { overrides });
    if (!response.ok) return showProblem(response.message);
    own = new Map(Object.entries(response.body.overrides));
    showStatus(done);
    await look();
  };
  const show = () => {
    form.hidden = admin.token === null || identity !== null;
    card.hidden = admin.token === null || identity === null;
  };
  const leave = () => {
    identity = null;
    own = new Map();
    limit.replaceChildren();
    id.value = freshName();
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
    byId("tenant-name").textContent = `${name} on plan ${created.body.plan}`;
    byId("key").textContent = identity.key;
    show();
    showStatus("Created. The requests below carry its key.");
    byId("tenant-name").focus({ preventScroll: true });
    onIdentity(identity);
    await look();
  });
  limit.addEventListener("change", async () => {
    const { limits } = await peek(admin, parsers, { tenant: identity.tenant });
    if (limits !== null) suggest(limits);
  });
  byId("limit-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = value.valueAsNumber;
    if (!Number.isSafeInteger(wanted) || wanted < 1) {
      showProblem("New limit: a whole number from 1.");
      return value.focus();
    }
    patch({ [limit.value]: { limit: wanted } }, `${limit.value} is ${number(wanted)} now, for this tenant alone. It holds here for the next request, and elsewhere as soon as the gate looks again: within 30 s, unless configured otherwise.`);
  });
  byId("reset-limits").addEventListener("click", async () => {
    await patch(Object.fromEntries([...own.keys()].map((name) => [name, null])), "The plan's own limits hold again.");
    limit.focus();
  });
  byId("delete-tenant").addEventListener("click", async () => {
    const { tenant: name } = identity;
    const response = await admin.call("DELETE", path());
    if (!response.ok && response.problem !== "tenant-not-found") return showProblem(response.message);
    leave();
    showStatus(`${name} and its key are gone.`);
    id.focus();
  });
  id.value = freshName();

  return {
    look,
    take({ tenant: name, limits }) {
      if (name === identity?.tenant && limits.length > 0) showLimits(limits);
    },
    /** The admin API is open, or not any more. */
    open({ tenants }) {
      show();
      showStatus("");
      return offer([...new Set(tenants.map((one) => one.plan))]);
    },
    close() {
      showStatus("");
      show();
    },
  };
}

/** One limit: what it promises, and a bar of what is left. */
function quotaOf({ name, remaining, policy }, isOwn) {
  const full = capacity(policy) ?? remaining;
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span"));
  bar.firstElementChild.style.inlineSize = `${full > 0 ? Math.min(100, (100 * remaining) / full) : 0}%`;
  return el(
    "li",
    {},
    el("b", {}, name),
    ` ${policy === null ? "" : describePolicy(policy)}`,
    isOwn ? el("span", { class: "tag" }, "its own") : null,
    bar,
    el("span", { class: "left" }, `${number(remaining)} of ${number(full)} left`),
  );
}

/** A name that nobody else is likely to have taken. */
function freshName() {
  return `demo-${crypto.randomUUID().slice(0, 6)}`;
}

const COMMON_PLANS = ["free", "pro"];
const MAX_PLANS = 4;
