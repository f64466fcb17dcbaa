// The search for tenants: which pages it reads, and what it finds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TenantSearch } from "../console/tenant-search.js";

const ids = (tenants) => tenants.map(({ id }) => id);

/** Creates a search over tenants that an API lists as the real one does. `calls` has the paths. */
function searchOver(tenants, wanted) {
  const calls = [];
  const all = tenants.map((tenant) => (typeof tenant === "string" ? { id: tenant, plan: "free", status: "active" } : tenant)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const call = async (method, path) => {
    calls.push(path);
    const { pathname, searchParams } = new URL(path, "http://api");
    if (pathname !== "/tenants") {
      const body = all.find(({ id }) => `/tenants/${id}` === pathname);
      return body === undefined ? { ok: false, problem: "tenant-not-found" } : { ok: true, body };
    }
    const after = all.filter(({ id }) => id > (searchParams.get("cursor") ?? ""));
    const page = after.slice(0, Number(searchParams.get("limit")));
    return { ok: true, body: { tenants: page, cursor: after.length > page.length ? page.at(-1).id : null } };
  };
  return { search: new TenantSearch(call, wanted), calls };
}

function numbered(count, prefix) {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, "0")}`);
}

test("without a prefix, all tenants are found page by page", async () => {
  const { search, calls } = searchOver(numbered(150, "t"), {});
  const first = await search.next(50);
  assert.deepEqual([first.tenants.length, first.failure, search.done], [100, null, false]);
  const second = await search.next(50);
  assert.deepEqual([second.tenants.length, search.done, search.examined], [50, true, 150]);
  assert.deepEqual(calls, ["/tenants?limit=100", "/tenants?limit=100&cursor=t0099"]);
});

test("a prefix finds the tenant with exactly this id, and those after it", async () => {
  const { search, calls } = searchOver(["abc", "ac", "ac-1", "ac.me", "acme", "ad"], { prefix: " AC" });
  assert.deepEqual(ids((await search.next(50)).tenants), ["ac", "ac-1", "ac.me", "acme"]);
  assert.equal(search.done, true);
  assert.deepEqual(calls, ["/tenants/ac", "/tenants?limit=100&cursor=ac"]);
});

test("a prefix that ends with a dot or a dash is no id", async () => {
  const { search, calls } = searchOver(["ac", "ac-1", "ac.io", "ac.me", "acme"], { prefix: "ac." });
  assert.deepEqual(ids((await search.next(50)).tenants), ["ac.io", "ac.me"]);
  assert.deepEqual(calls, ["/tenants?limit=100&cursor=ac"]);
});

test("the search ends at the first page past the prefix", async () => {
  const { search, calls } = searchOver([...numbered(120, "acme"), ...numbered(500, "b")], { prefix: "acme" });
  const { tenants } = await search.next(200);
  assert.deepEqual([tenants.length, search.done, calls.length], [120, true, 3]);
});

test("what cannot be in an id is not searched for", async () => {
  for (const prefix of ["a_b", "-a", "a b", "ä", "a".repeat(65)]) {
    const { search, calls } = searchOver(["a"], { prefix });
    assert.deepEqual(await search.next(50), { tenants: [], failure: null });
    assert.deepEqual([search.done, calls.length], [true, 0], prefix);
  }
});

test("a rare plan among many tenants does not read them all at once", async () => {
  const rare = { id: "t9999", plan: "rare", status: "suspended" };
  const { search, calls } = searchOver([...numbered(2000, "t"), rare], { plan: "rare", status: "suspended" });
  assert.deepEqual(await search.next(50), { tenants: [], failure: null });
  assert.deepEqual([calls.length, search.examined, search.done], [10, 1000, false]);
  await search.next(50);
  assert.deepEqual(ids((await search.next(50)).tenants), ["t9999"]);
});

test("a failure ends the search, and it continues from there", async () => {
  let fails = false;
  const page = (id, cursor) => ({ ok: true, body: { tenants: [{ id }], cursor } });
  const call = async (_, path) => (path.includes("cursor") ? page("t0100", null) : page("t0099", "t0099"));
  const search = new TenantSearch(async (...request) => (fails ? { ok: false, problem: "redis-unavailable" } : call(...request)));
  assert.deepEqual(ids((await search.next(1)).tenants), ["t0099"]);
  fails = true;
  assert.equal((await search.next(1)).failure.problem, "redis-unavailable");
  fails = false;
  assert.deepEqual(ids((await search.next(1)).tenants), ["t0100"]);
});
