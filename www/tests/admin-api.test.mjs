// The admin API as the page meets it: what it is asked, what its problems say, and when the token is forgotten.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminApi } from "../page/admin-api.js";
import { peek } from "../page/peek.js";
import { errorMessage, problemName } from "../page/api-errors.js";

const problem = (name, detail) => ({ type: `urn:sluicegate:problem:${name}`, detail });

test("a problem becomes a message for somebody who only sees the page", () => {
  const check = (status, body, expected, after = null) => assert.equal(errorMessage(status, body, after), expected);
  check(400, problem("invalid-request", 'plan: no plan is named "x" (plans: free, pro)'), 'Plan: no plan is named "x" (plans: free, pro). (400)');
  check(409, problem("tenant-exists", 'a tenant has the id "a" already'), 'A tenant has the id "a" already. (409)');
  check(401, problem("unauthorized", "the admin token is missing or wrong"), "This is not the gate's admin token (401).");
  check(404, { type: "about:blank", detail: "nothing of this name" }, "This gate has no admin API (404): whoever deployed it has not set the secret SLUICEGATE_ADMIN_TOKEN.");
  check(404, problem("tenant-not-found", 'no tenant has the id "a"'), 'No tenant has the id "a". (404)');
  check(503, problem("redis-unavailable", "Redis did not respond as it should"), "Redis did not respond as it should. (503) Try again in 5 s.", 5);
  check(503, null, "The gate gave no reason. (503) Try again in a moment.");
  check(500, { detail: 1 }, "The gate gave no reason. (500)");
});

test("only the API's own problems have a name", () => {
  assert.equal(problemName(problem("lock-held")), "lock-held");
  for (const body of [null, {}, { type: "about:blank" }, { type: 1 }, []]) assert.equal(problemName(body), null);
});

test("a token is kept once the API has taken it, and goes with every call", async () => {
  const { admin, asked } = gate((_, { headers }) => (headers.Authorization === "Bearer good" ? response(200, { tenants: [], cursor: null }) : denied()));
  assert.equal((await admin.unlock("bad")).ok, false);
  assert.equal(admin.token, null);
  assert.deepEqual((await admin.unlock("good")).body, { tenants: [], cursor: null });
  assert.equal(admin.token, "good");
  await admin.call("POST", "/tenants", { id: "a", plan: "free" });
  assert.deepEqual(asked.at(-1), ["/_sluicegate/v1/tenants", "POST", '{"id":"a","plan":"free"}', "Bearer good", "application/json"]);
  await admin.call("DELETE", "/tenants/a");
  assert.deepEqual(asked.at(-1), ["/_sluicegate/v1/tenants/a", "DELETE", null, "Bearer good", undefined]);
});

test("a token that is refused later is forgotten, once and with a word", async () => {
  let valid = true;
  const { admin, deniedWith } = gate(() => (valid ? response(200, {}) : denied()));
  await admin.unlock("good");
  valid = false;
  const responses = await Promise.all([admin.call("GET", "/tenants"), admin.call("GET", "/tenants")]);
  assert.deepEqual(responses.map(({ status }) => status), [401, 401]);
  assert.equal(admin.token, null);
  assert.deepEqual(deniedWith, ["This is not the gate's admin token (401)."]);
});

test("no response and no JSON are told like any other failure", async () => {
  const lost = gate(() => Promise.reject(new TypeError("Failed to fetch")));
  assert.deepEqual(pick(await lost.admin.call("GET", "/tenants")), { ok: false, status: null, problem: null, message: "The gate did not respond." });
  const late = gate(() => Promise.reject(new DOMException("", "TimeoutError")));
  assert.equal((await late.admin.call("GET", "/tenants")).message, "The gate did not respond within 15 s.");
  const html = gate(() => new Response("<h1>502</h1>", { status: 502 }));
  assert.deepEqual(pick(await html.admin.call("GET", "/tenants")), { ok: false, status: 502, problem: null, message: "The gate gave no reason. (502)" });
});

test("a look at the quotas charges nobody, and reads what every response carries", async () => {
  const policy = { name: "day", quota: 5, window: 86_400, burst: null };
  const parsers = { policy: () => [policy], limits: () => [{ name: "day", remaining: 2, reset: 9 }] };
  const headers = { RateLimit: "x", "RateLimit-Policy": "y" };
  const { admin, asked } = gate(() => response(200, { allowed: true }, headers));
  assert.deepEqual(await peek(admin, parsers, { tenant: "a" }), { limits: [{ name: "day", remaining: 2, reset: 9, policy }], message: null });
  assert.deepEqual(JSON.parse(asked.at(-1)[2]), { tenant: "a", peek: true, lease: "demo-look" });
  const none = gate(() => response(400, problem("invalid-request", "plan: no plan is named \"x\"")));
  assert.deepEqual(await peek(none.admin, parsers, { subject: "s", plan: "x" }), { limits: null, message: 'Plan: no plan is named "x". (400)' });
});

/** An AdminApi whose requests are answered by `respond(url, init)`. */
function gate(respond) {
  const asked = [];
  const deniedWith = [];
  const fetch = async (url, init) => {
    asked.push([url, init.method, init.body, init.headers.Authorization, init.headers["Content-Type"]]);
    return respond(url, init);
  };
  return { admin: new AdminApi({ fetch, onDenied: (text) => deniedWith.push(text) }), asked, deniedWith };
}

function response(status, body, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers });
}

function denied() {
  return response(401, problem("unauthorized", "the admin token is missing or wrong"));
}

function pick({ ok, status, problem: name, message: text }) {
  return { ok, status, problem: name, message: text };
}
