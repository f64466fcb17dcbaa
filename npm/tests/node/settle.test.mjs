// The real cost of a request.

import assert from "node:assert/strict";
import { test } from "node:test";

import { InputError, RedisError } from "sluicegate";

import { clock, config, gate, hour, network, subject } from "./support.mjs";

const remaining = async (limiter, check) => (await limiter.check({ ...check, peek: true })).limits[0].remaining;

test("a settlement gives back or charges the difference, once", async () => {
  const limiter = await gate(config([hour(100)]));
  const check = { subject: subject(), cost: 30 };
  const cheap = await limiter.check(check);
  assert.deepEqual(await limiter.settle(cheap, 10), { settled: true, limits: [{ name: "hour", givenBack: 20 }] });
  assert.deepEqual(await limiter.settle(cheap, 0), { settled: false, limits: [] });
  assert.equal(await remaining(limiter, check), 90);
  const dear = await limiter.check(check);
  assert.deepEqual(await limiter.settle(dear, 50), { settled: true, limits: [{ name: "hour", charged: 20 }] });
  assert.equal(await remaining(limiter, check), 40);
  assert.deepEqual(await limiter.refund(await limiter.check(check)), {
    settled: true,
    limits: [{ name: "hour", givenBack: 30 }],
  });
  assert.equal(await remaining(limiter, check), 40);
});

test("many settlements at once are one", async () => {
  const limiter = await gate(config([hour(100)]));
  const check = { subject: subject(), cost: 30 };
  const verdict = await limiter.check(check);
  const settled = await Promise.all(Array.from({ length: 5 }, () => limiter.refund(verdict)));
  assert.equal(settled.filter(({ settled }) => settled).length, 1);
  assert.equal(await remaining(limiter, check), 100);
});

test("a settlement whose reply is lost can be repeated", async (t) => {
  const between = await network(t);
  const time = clock(t);
  const limiter = await gate(config([hour(100)]), between.url);
  const check = { subject: subject(), cost: 30 };
  const verdict = await limiter.check(check);
  between.mode = "swallow";
  const lost = limiter.settle(verdict, 10);
  await between.until(() => between.ended === 2);
  time.tick(30_000);
  await assert.rejects(lost, RedisError);
  between.mode = "pass";
  assert.equal(await remaining(limiter, check), 90, "it was made");
  assert.deepEqual(await limiter.settle(verdict, 10), { settled: false, limits: [] });
  assert.equal(await remaining(limiter, check), 90);
});

test("a refusal has nothing to settle", async () => {
  const limiter = await gate(config([hour(1)]));
  const refused = await limiter.check({ subject: subject(), cost: 2 });
  assert.deepEqual(await limiter.settle(refused, 1), { settled: false, limits: [] });
});

test("a cost that is none is refused, and can be corrected", async () => {
  const limiter = await gate(config([hour(100)]));
  const verdict = await limiter.check({ subject: subject(), cost: 30 });
  for (const cost of [-1, 1.5, NaN, undefined]) {
    await assert.rejects(limiter.settle(verdict, cost), (error) => {
      assert.ok(error instanceof InputError && error.message.startsWith("cost: expected a whole number"), error.message);
      return true;
    });
  }
  assert.equal((await limiter.settle(verdict, 10)).settled, true);
});
