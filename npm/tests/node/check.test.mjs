// Checks against a real Redis.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ConfigError, InputError, Verdict, sluicegate } from "sluicegate";

import { config, env, gate, hour, network, redis, subject } from "./support.mjs";

test("a verdict has the state of each limit", async () => {
  const limits = [hour(3), { name: "minute", algorithm: "token_bucket", limit: 5, window: "60m" }];
  const limiter = await gate(config(limits));
  const check = { subject: subject(), plan: "p", cost: 2 };
  const first = await limiter.check(check);
  assert.ok(first instanceof Verdict);
  assert.deepEqual([first.allowed, first.decidedBy, first.outage, first.retryMs], [true, "redis", null, 0]);
  assert.deepEqual(first.limits.map(({ name, limit, remaining, retryMs }) => [name, limit, remaining, retryMs]), [
    ["hour", 3, 1, 0],
    ["minute", 5, 3, 0],
  ]);
  assert.equal(first.limits[1].resetMs, 24 * 60_000);
  const second = await limiter.check(check);
  assert.deepEqual([second.allowed, second.decidedBy, second.lease], [false, "redis", null]);
  assert.deepEqual(second.limits.map(({ remaining }) => remaining), [1, 3], "a refusal changes nothing");
  assert.ok(second.retryMs > 0 && second.retryMs === second.limits[0].retryMs);
  const never = await limiter.check({ ...check, cost: 4 });
  assert.deepEqual([never.allowed, never.retryMs], [false, null]);
});

test("a refusal is the response of the Worker", async () => {
  const limiter = await gate(config([hour(1)]));
  const check = { subject: subject() };
  const allowed = await limiter.check(check);
  assert.match(allowed.headers.get("ratelimit"), /^"hour";r=0;t=\d+$/);
  assert.equal(allowed.headers.get("ratelimit-policy"), '"hour";q=1;w=31536000');
  assert.equal(allowed.headers.get("retry-after"), null);
  assert.throws(() => allowed.response(), { name: "TypeError", message: "the request is allowed (respond to it yourself)" });
  const refused = await limiter.check(check);
  const response = refused.response();
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("retry-after-ms"), String(refused.retryMs));
  const problem = await response.json();
  assert.deepEqual([problem.status, problem["violated-policies"], problem["retry-after-ms"]], [429, ["hour"], refused.retryMs]);
});

test("a burst is admitted exactly to its limit", async () => {
  const limiters = await Promise.all([1, 2, 3].map(() => gate(config([hour(20)]))));
  const check = { subject: subject() };
  const verdicts = await Promise.all(Array.from({ length: 60 }, (_, i) => limiters[i % 3].check(check)));
  assert.equal(verdicts.filter(({ allowed }) => allowed).length, 20);
  const left = verdicts.filter(({ allowed }) => allowed).map(({ limits }) => limits[0].remaining);
  assert.deepEqual(left.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
});

test("a check is one call, and one more after the scripts are lost", async (t) => {
  const between = await network(t);
  const limiter = await gate(config([hour(10)]), between.url);
  const check = { subject: subject() };
  await limiter.check(check);
  await redis("SCRIPT", "FLUSH");
  between.calls.length = 0;
  assert.equal((await limiter.check(check)).limits[0].remaining, 8);
  assert.deepEqual(between.calls.map(([name]) => name), ["EVALSHA", "EVAL"]);
  assert.equal((await limiter.check(check)).limits[0].remaining, 7);
  assert.deepEqual(between.calls.map(([name]) => name), ["EVALSHA", "EVAL", "EVALSHA"]);
});

test("a look charges nothing", async () => {
  const limiter = await gate(config([hour(5)]));
  const check = { subject: subject() };
  await limiter.check(check);
  for (let i = 0; i < 2; i++) {
    assert.equal((await limiter.check({ ...check, peek: true })).limits[0].remaining, 4);
  }
});

test("limits of the check and values that they count by", async () => {
  const limiter = await gate(config([hour(1)]));
  const check = { subject: subject(), limits: [hour(2, { name: "each", by: "header:x-user" })] };
  const of = async (user) => (await limiter.check({ ...check, subjects: { "header:x-user": user } })).allowed;
  assert.deepEqual([await of("ada"), await of("ada"), await of("ada"), await of("bob")], [true, true, false, true]);
});

test("an invalid check names its fields", async () => {
  const limiter = await gate(config([hour(1)]));
  for (const [check, message, path] of [
    [undefined, "expected an object, found null", ""],
    [{}, "subject: is missing (or give a tenant)", "subject"],
    [{ subject: "a", colour: 1 }, "colour: unknown field (known: subject, tenant, plan, limits, subjects, cost, peek, lease)", "colour"],
    [{ subject: "a", plan: "q" }, 'plan: no plan is named "q" (plans: p)', "plan"],
    [{ subject: "a", cost: 1.5 }, "cost: expected a whole number from 0 to 9007199254740991, found 1.5", "cost"],
    [{ subject: "a", cost: NaN }, "cost: is null (leave it out)", "cost"],
    [{ subject: "lock:a" }, 'subject: begins with "lock:" (a reserved prefix)', "subject"],
  ]) {
    await assert.rejects(limiter.check(check), (error) => {
      assert.ok(error instanceof InputError && error instanceof TypeError);
      assert.ok(error.message.startsWith(message), error.message);
      assert.equal(error.path, path);
      return true;
    });
  }
});

test("an invalid configuration names its field", async () => {
  const valid = config([hour(1)]);
  for (const [variables, configuration, message, path] of [
    [env, undefined, "SLUICEGATE: is not set (or give the configuration as an argument)", "SLUICEGATE"],
    [env, config([hour(0)]), "plans.p.limits[0].limit: expected 1 to 9007199254740991, found 0", "plans.p.limits[0].limit"],
    [env, { ...valid, timeout: "ten" }, 'timeout: expected a duration like "10s"', "timeout"],
    [{}, valid, "UPSTASH_REDIS_REST_URL: is not set", "UPSTASH_REDIS_REST_URL"],
    [{ ...env, UPSTASH_REDIS_REST_TOKEN: "" }, valid, "UPSTASH_REDIS_REST_TOKEN: is not set", "UPSTASH_REDIS_REST_TOKEN"],
  ]) {
    await assert.rejects(sluicegate(variables, configuration), (error) => {
      assert.ok(error instanceof ConfigError && error.message.startsWith(message), error.message);
      assert.equal(error.path, path);
      return true;
    });
  }
});

test("the configuration may be a text or in the environment", async () => {
  const text = JSON.stringify(config([hour(1)]));
  for (const limiter of [await sluicegate(env, text), await sluicegate({ ...env, SLUICEGATE: text })]) {
    assert.equal((await limiter.check({ subject: subject() })).limits[0].limit, 1);
  }
});
