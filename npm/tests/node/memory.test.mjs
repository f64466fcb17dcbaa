// What a gate decides without asking Redis.

import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, config, gate, hour, network, subject } from "./support.mjs";

test("a refusal is repeated from memory", async (t) => {
  const between = await network(t);
  const limiter = await gate(config([hour(1)], { local_refusals: "30s" }), between.url);
  const check = { subject: subject() };
  const [, asked] = [await limiter.check(check), await limiter.check(check)];
  const calls = between.calls.length;
  const repeated = await limiter.check(check);
  assert.deepEqual([asked.decidedBy, repeated.decidedBy, repeated.allowed], ["redis", "memory", false]);
  assert.ok(repeated.retryMs <= asked.retryMs && repeated.response().status === 429);
  assert.equal(between.calls.length, calls);
});

test("units that this gate gives back are seen at once", async () => {
  const limiter = await gate(config([hour(1)], { local_refusals: "30s" }));
  const check = { subject: subject() };
  const verdict = await limiter.check(check);
  assert.deepEqual([(await limiter.check(check)).allowed, (await limiter.check(check)).decidedBy], [false, "memory"]);
  await limiter.refund(verdict);
  assert.equal((await limiter.check(check)).allowed, true);
});

test("units are taken in advance, and what is left is given back", async (t) => {
  const between = await network(t);
  const time = clock(t);
  const plans = { p: { limits: [hour(1000)], prefetch: { units: 50, hold: "1s" } } };
  const limiter = await gate(config([], { plans }), between.url);
  const check = { subject: subject() };
  const deciders = new Set();
  let checks = 0;
  while (!deciders.has("prefetch")) {
    deciders.add((await limiter.check(check)).decidedBy);
    checks += 1;
  }
  assert.ok(deciders.has("redis") && between.calls.length < checks);
  const other = await gate(config([hour(1000)]));
  const remaining = async () => (await other.check({ ...check, peek: true })).limits[0].remaining;
  assert.ok(await remaining() < 1000 - checks, "Redis counts what is held");
  time.tick(1000);
  await between.until(async () => await remaining() === 1000 - checks);
});
