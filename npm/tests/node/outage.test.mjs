// Redis is unreachable, does not answer, or refuses the token.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sluicegate } from "sluicegate";

import { clock, config, env, gate, hour, network, subject } from "./support.mjs";

const policy = (on_outage) => config([hour(2)], { on_outage });

const faults = { hang: "redis did not answer in time", cut: "redis is unreachable: " };

for (const [mode, cause] of Object.entries(faults)) {
  test(`on_outage decides when calls ${mode}`, async (t) => {
    const between = await network(t);
    const time = clock(t);
    between.mode = mode;
    // Lets the time pass after which a gate stops waiting.
    const check = async (limiter, subject) => {
      const { ended } = between;
      const verdict = limiter.check({ subject });
      await between.until(() => between.ended > ended);
      if (mode === "hang") time.tick(30_000);
      return verdict;
    };

    const open = await gate(policy("open"), between.url);
    const passed = await check(open, subject());
    assert.deepEqual([passed.allowed, passed.decidedBy, passed.retryMs, passed.limits], [true, "outage", 0, []]);
    assert.ok(passed.outage.startsWith(cause), passed.outage);
    assert.deepEqual([...passed.headers], []);
    assert.deepEqual(open.log.map(({ event, policy, count }) => [event, policy, count]), [["outage", "open", 1]]);
    assert.deepEqual(await open.settle(passed, 0), { settled: false, limits: [] }, "nothing was charged");

    const closed = await gate(policy("closed"), between.url);
    const refused = await check(closed, subject());
    assert.deepEqual([refused.allowed, refused.decidedBy, refused.retryMs], [false, "outage", 5000]);
    const response = refused.response();
    assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "5"]);
    assert.match((await response.json()).type, /#temporary-reduced-capacity$/);

    const local = await gate(policy("local"), between.url);
    const someone = subject();
    const verdicts = [await check(local, someone), await check(local, someone), await check(local, someone)];
    assert.deepEqual(verdicts.map(({ allowed }) => allowed), [true, true, false]);
    assert.deepEqual(verdicts.map(({ decidedBy }) => decidedBy), ["local", "local", "local"]);
    assert.equal(verdicts[2].response().status, 429);
  });
}

test("a wrong token is an outage", async () => {
  const limiter = await sluicegate({ ...env, UPSTASH_REDIS_REST_TOKEN: "hunter2" }, policy("closed"), { log: () => {} });
  const verdict = await limiter.check({ subject: subject() });
  assert.match(verdict.outage, /^redis refused the token \(UPSTASH_REDIS_REST_TOKEN\)/);
  assert.ok(!verdict.outage.includes("hunter2"));
});

test("the breaker stops calls to a Redis that fails, and starts them again", async (t) => {
  const between = await network(t);
  const time = clock(t);
  between.mode = "cut";
  const limiter = await gate(policy("open"), between.url);
  const check = { subject: subject() };
  for (let i = 0; i < 8; i++) await limiter.check(check);
  assert.equal(between.calls.length, 5);
  const opened = limiter.log.find(({ event }) => event === "breaker");
  assert.equal(opened.state, "open");
  between.mode = "pass";
  assert.deepEqual([(await limiter.check(check)).decidedBy, between.calls.length], ["outage", 5]);
  time.tick(opened.retry_ms);
  const verdict = await limiter.check(check);
  assert.deepEqual([verdict.decidedBy, verdict.limits[0].remaining], ["redis", 1]);
  assert.deepEqual(limiter.log.at(-1), { event: "breaker", state: "closed" });
});

test("a log that throws changes nothing", async (t) => {
  const between = await network(t);
  between.mode = "cut";
  const limiter = await gate(policy("open"), between.url);
  limiter.log.push = () => { throw new Error("full"); };
  assert.equal((await limiter.check({ subject: subject() })).allowed, true);
});
