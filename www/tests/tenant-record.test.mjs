// Changes of a tenant: they apply only to the version that was read. What somebody else changed is said in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { explainFailure } from "../console/failure.js";
import { differences } from "../console/tenant-differences.js";
import { TenantRecord } from "../console/tenant-record.js";

const tenant = (changes = {}) => ({ id: "acme", plan: "free", status: "active", overrides: {}, metadata: {}, keys: [], ...changes });

/** An API whose calls are recorded and which answers each by `respond`. */
function api(respond) {
  const calls = [];
  return { calls, call: async (...request) => (calls.push(request), respond(...request)) };
}

function answer(body, etag) {
  return { ok: true, status: 200, body, headers: new Headers({ ETag: etag }) };
}

test("a change applies only to the version that was read", async () => {
  const admin = api((method) => (method === "GET" ? answer(tenant(), '"1"') : answer(tenant({ plan: "pro" }), '"2"')));
  const { record } = await TenantRecord.read(admin, "acme");
  await record.patch({ plan: "pro" });
  assert.deepEqual(admin.calls.at(-1), ["PATCH", "/tenants/acme", { plan: "pro" }, '"1"']);
  assert.equal(record.tenant.plan, "pro");
  await record.delete();
  assert.deepEqual(admin.calls.at(-1), ["DELETE", "/tenants/acme", undefined, '"2"']);
});

test("a lost race keeps the version that is shown", async () => {
  const admin = api((method) => (method === "GET" ? answer(tenant(), '"1"') : { ok: false, status: 412, problem: "lost-race" }));
  const { record } = await TenantRecord.read(admin, "acme");
  assert.equal((await record.patch({ plan: "pro" })).ok, false);
  assert.equal(record.tenant.plan, "free");
  await record.patch({ plan: "pro" });
  assert.equal(admin.calls.at(-1)[3], '"1"');
});

test("a new key is followed by the new version of the tenant", async () => {
  const admin = api((method, path) => (path.endsWith("/keys") ? { ok: true, body: { key: "sgk_acme_x" } } : answer(tenant(), '"3"')));
  const { record } = await TenantRecord.read(admin, "acme");
  assert.equal((await record.createKey(null)).body.key, "sgk_acme_x");
  assert.deepEqual(admin.calls.slice(1).map(([method, path]) => `${method} ${path}`), ["POST /tenants/acme/keys", "GET /tenants/acme"]);
  await record.revokeKey("a/b");
  assert.deepEqual(admin.calls.at(-2).slice(0, 2), ["DELETE", "/tenants/acme/keys/a%2Fb"]);
});

test("a tenant that does not exist has no record", async () => {
  const { record, response } = await TenantRecord.read(api(() => ({ ok: false, problem: "tenant-not-found" })), "acme");
  assert.deepEqual([record, response.problem], [null, "tenant-not-found"]);
});

test("each difference between two versions is a sentence", () => {
  const before = tenant({ overrides: { day: { limit: 12 }, old: { limit: 1 } }, keys: [{ id: "k1", expires: null }] });
  const after = tenant({
    plan: "pro",
    status: "suspended",
    overrides: { day: { limit: 5000, burst: 10000, until: "2026-12-01T00:00:00Z" } },
    keys: [{ id: "k2", expires: "2026-12-24T18:30:00Z" }],
    metadata: { contact: "ops" },
  });
  assert.deepEqual(differences(before, after), [
    "Plan: free → pro",
    "Status: active → suspended",
    "Override of day: 12 → 5,000, burst 10,000, until 2026-12-01 00:00",
    "Override of old: 1 → none",
    "Key k1: does not expire → none",
    "Key k2: none → expires 2026-12-24 18:30",
    "Metadata contact: none → “ops”",
  ]);
  assert.deepEqual(differences(after, structuredClone(after)), []);
});

test("a failure offers what helps", () => {
  const offer = (status, problem = null) => explainFailure({ status, problem, message: "It failed." }).offer;
  assert.equal(offer(412, "lost-race"), "reload");
  assert.equal(offer(404, "key-not-found"), "reload");
  assert.equal(offer(404, "tenant-not-found"), "close");
  assert.equal(offer(409, "too-many-keys"), "reload");
  assert.equal(offer(503, "redis-unavailable"), "reload");
  assert.equal(offer(null), "reload");
  assert.equal(offer(400, "invalid-request"), null);
  assert.match(explainFailure({ status: null, problem: null, message: "sluicegate did not respond." }).text, /^sluicegate did not respond\. Reload to see/);
});
