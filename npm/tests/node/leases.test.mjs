// Requests in flight.

import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, config, gate, hour, inflight, network, subject } from "./support.mjs";

test("a released lease admits the next request", async () => {
  const limiter = await gate(config([inflight(2)]));
  const check = { subject: subject() };
  const [first, second, third] = [await limiter.check(check), await limiter.check(check), await limiter.check(check)];
  assert.deepEqual([first.allowed, second.allowed, third.allowed], [true, true, false]);
  assert.notEqual(first.lease, second.lease);
  assert.equal(third.lease, null);
  await limiter.release(first);
  await limiter.release(first);
  await limiter.release(third);
  assert.equal((await limiter.check(check)).allowed, true);
  assert.equal((await limiter.check(check)).allowed, false, "a release that is repeated ends nothing else");
});

test("a lease of your own is renewed", async () => {
  const limiter = await gate(config([inflight(1)]));
  const check = { subject: subject(), lease: "job-7" };
  const verdicts = [await limiter.check(check), await limiter.check(check)];
  assert.deepEqual(verdicts.map(({ allowed, lease }) => [allowed, lease]), [[true, "job-7"], [true, "job-7"]]);
  assert.equal((await limiter.check({ ...check, lease: "job-8" })).allowed, false);
});

test("a look holds no lease and cannot be settled", async () => {
  const limiter = await gate(config([inflight(2), hour(5)]));
  const check = { subject: subject(), lease: "job-7" };
  await limiter.check(check);
  const look = await limiter.check({ ...check, peek: true });
  assert.equal(look.lease, null);
  await limiter.release(look);
  assert.equal((await limiter.settle(look, 3)).settled, false);
  const { limits } = await limiter.check({ ...check, peek: true });
  assert.deepEqual(limits.map(({ remaining }) => remaining), [1, 4]);
});

test("a lease without a limit that needs it is none", async () => {
  const limiter = await gate(config([hour(5)]));
  assert.equal((await limiter.check({ subject: subject(), lease: "job-7" })).lease, null);
});

test("a lease of the fallback limiter is released there", async (t) => {
  const between = await network(t);
  between.mode = "cut";
  const limiter = await gate(config([inflight(1)], { on_outage: "local" }), between.url);
  const check = { subject: subject() };
  const held = await limiter.check(check);
  assert.deepEqual([held.decidedBy, (await limiter.check(check)).allowed], ["local", false]);
  await limiter.release(held);
  assert.equal((await limiter.check(check)).allowed, true);
});

test("a lease that may have been taken is released", async (t) => {
  const between = await network(t);
  const time = clock(t);
  between.mode = "swallow";
  const limiter = await gate(config([inflight(1)], { on_outage: "closed" }), between.url);
  const other = await gate(config([inflight(1)]));
  const check = { subject: subject() };
  const lost = limiter.check(check);
  await between.until(() => between.ended === 1);
  assert.equal((await other.check({ ...check, peek: true })).limits[0].remaining, 0, "Redis has granted it");
  between.mode = "pass";
  time.tick(30_000);
  assert.equal((await lost).allowed, false);
  await between.until(async () => (await other.check({ ...check, peek: true })).limits[0].remaining === 1);
});

test("a look whose reply is lost ends no lease", async (t) => {
  const between = await network(t);
  const time = clock(t);
  const limiter = await gate(config([inflight(1)], { on_outage: "closed" }), between.url);
  const check = { subject: subject(), lease: "job-7" };
  await limiter.check(check);
  const before = between.ended;
  between.mode = "swallow";
  const lost = limiter.check({ ...check, peek: true });
  await between.until(() => between.ended === before + 1);
  between.mode = "pass";
  time.tick(30_000);
  assert.equal((await lost).allowed, false);
  assert.equal((await limiter.check({ subject: check.subject, peek: true })).limits[0].remaining, 0, "job-7 holds it");
});
