// The client of the admin API: its requests, its error messages, and when it forgets the token.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminApi } from "../page/admin-api.js";
import { errorMessage, problemName } from "../page/api-errors.js";
import { peek } from "../page/peek.js";

const problem = (name, detail) => ({ type: `urn:sluicegate:problem:${name}`, detail });

test("an API problem becomes a message for the user", () => {
  const check = (status, body, expected, after = null) => assert.equal(errorMessage(status, body, after), expected);
  check(400, problem("invalid-request", 'plan: no plan is named "x" (plans: free, pro)'), 'Plan: no plan is named "x" (plans: free, pro). (400)');
  check(409, problem("tenant-exists", 'a tenant has the id "a" already'), 'A tenant has the id "a" already. (409)');
  check(401, problem("unauthorized", "the admin token is missing or wrong"), "Wrong admin token (401).");
  check(404, { type: "about:blank", detail: "nothing of this name" }, "The admin API is disabled (404): the secret SLUICEGATE_ADMIN_TOKEN is not set in this deployment.");
  check(404, problem("tenant-not-found", 'no tenant has the id "a"'), 'No tenant has the id "a". (404)');
  check(503, problem("redis-unavailable", "Redis did not answer as it should"), "Redis did not answer as it should. (503) Try again in 5 s.", 5);
  check(503, null, "The response has no details. (503) Try again in a moment.");
  check(500, { detail: 1 }, "The response has no details. (500)");
});

test("only the API's own problems have a name", () => {
  assert.equal(problemName(problem("lock-held")), "lock-held");
  for (const body of [null, {}, { type: "about:blank" }, { type: 1 }, []]) assert.equal(problemName(body), null);
});

test("an accepted token is stored and sent with every call", async () => {
  const { admin, calls, ifMatch } = adminApi((_, { headers }) => (headers.Authorization === "Bearer good" ? response(200, { tenants: [], cursor: null }) : denied()));
  assert.equal((await admin.unlock("bad")).ok, false);
  assert.equal(admin.token, null);
  assert.deepEqual((await admin.unlock("good")).body, { tenants: [], cursor: null });
  assert.equal(admin.token, "good");
  await admin.call("POST", "/tenants", { id: "a", plan: "free" });
  assert.deepEqual(calls.at(-1), ["/_sluicegate/v1/tenants", "POST", '{"id":"a","plan":"free"}', "Bearer good", "application/json"]);
  await admin.call("DELETE", "/tenants/a");
  assert.deepEqual(calls.at(-1), ["/_sluicegate/v1/tenants/a", "DELETE", null, "Bearer good", undefined]);
  assert.equal(ifMatch.at(-1), undefined);
  await admin.call("PATCH", "/tenants/a", { plan: "pro" }, '"1f"');
  assert.equal(ifMatch.at(-1), '"1f"');
});

test("a token refused later is forgotten and reported once", async () => {
  let valid = true;
  const { admin, deniedWith } = adminApi(() => (valid ? response(200, {}) : denied()));
  await admin.unlock("good");
  valid = false;
  const responses = await Promise.all([admin.call("GET", "/tenants"), admin.call("GET", "/tenants")]);
  assert.deepEqual(responses.map(({ status }) => status), [401, 401]);
  assert.equal(admin.token, null);
  assert.deepEqual(deniedWith, ["Wrong admin token (401)."]);
});

test("a missing response and invalid JSON are reported as errors", async () => {
  const lost = adminApi(() => Promise.reject(new TypeError("Failed to fetch")));
  assert.deepEqual(pick(await lost.admin.call("GET", "/tenants")), { ok: false, status: null, problem: null, message: "sluicegate did not respond." });
  const late = adminApi(() => Promise.reject(new DOMException("", "TimeoutError")));
  assert.equal((await late.admin.call("GET", "/tenants")).message, "sluicegate did not respond within 15 s.");
  const html = adminApi(() => new Response("<h1>502</h1>", { status: 502 }));
  assert.deepEqual(pick(await html.admin.call("GET", "/tenants")), { ok: false, status: 502, problem: null, message: "The response has no details. (502)" });
});

test("a peek reads the quota without charging it", async () => {
  const policy = { name: "day", quota: 5, window: 86_400, burst: null };
  const parsers = { policy: () => [policy], limits: () => [{ name: "day", remaining: 2, reset: 9 }] };
  const headers = { RateLimit: "x", "RateLimit-Policy": "y" };
  const { admin, calls } = adminApi(() => response(200, { allowed: true }, headers));
  assert.deepEqual(await peek(admin, parsers, { tenant: "a" }), { limits: [{ name: "day", remaining: 2, reset: 9, policy }], message: null });
  assert.deepEqual(JSON.parse(calls.at(-1)[2]), { tenant: "a", peek: true, lease: "demo-look" });
  const none = adminApi(() => response(400, problem("invalid-request", "plan: no plan is named \"x\"")));
  assert.deepEqual(await peek(none.admin, parsers, { subject: "s", plan: "x" }), { limits: null, message: 'Plan: no plan is named "x". (400)' });
});

/** Creates an AdminApi with `respond(url, init)` in place of fetch. */
function adminApi(respond) {
  const calls = [];
  const ifMatch = [];
  const deniedWith = [];
  const fetch = async (url, init) => {
    ifMatch.push(init.headers["If-Match"]);
    calls.push([url, init.method, init.body, init.headers.Authorization, init.headers["Content-Type"]]);
    return respond(url, init);
  };
  return { admin: new AdminApi({ fetch, onDenied: (text) => deniedWith.push(text) }), calls, ifMatch, deniedWith };
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
