// The unmodified @upstash/ratelimit, with scripts that carry the key-locking flag, against the running bridge at
// SLUICEGATE_BRIDGE_URL with the token SLUICEGATE_BRIDGE_TOKEN.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";

const { SLUICEGATE_BRIDGE_URL: url, SLUICEGATE_BRIDGE_TOKEN: token } = process.env;
assert.ok(url && token, "SLUICEGATE_BRIDGE_URL and SLUICEGATE_BRIDGE_TOKEN are not set");

const LIMIT = 5;
const redis = new Redis({ url, token, enableTelemetry: false });

// Windows of an hour, so that no window ends during a test.
const limiters = {
  "fixed window": Ratelimit.fixedWindow(LIMIT, "1 h"),
  "sliding window": Ratelimit.slidingWindow(LIMIT, "1 h"),
  "token bucket": Ratelimit.tokenBucket(LIMIT, "1 h", LIMIT),
};

for (const [name, limiter] of Object.entries(limiters)) {
  const create = () => new Ratelimit({ redis, limiter, prefix: `test:${randomUUID()}`, ephemeralCache: false });

  test(`${name}: exactly the limit is admitted`, async () => {
    const ratelimit = create();
    const verdicts = [];
    for (let i = 0; i < LIMIT + 2; i++) verdicts.push(await ratelimit.limit("client"));
    assert.deepEqual(verdicts.map((verdict) => verdict.success), [true, true, true, true, true, false, false]);
    assert.deepEqual(verdicts.map((verdict) => verdict.remaining), [4, 3, 2, 1, 0, 0, 0]);
    assert.ok(verdicts.every((verdict) => verdict.limit === LIMIT && verdict.reason === undefined));
    assert.equal((await ratelimit.limit("another client")).success, true);
  });

  test(`${name}: exactly the limit of concurrent requests is admitted`, async () => {
    const ratelimit = create();
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => ratelimit.limit("client")));
    assert.equal(verdicts.filter((verdict) => verdict.success).length, LIMIT);
  });

  test(`${name}: getRemaining and resetUsedTokens`, async () => {
    const ratelimit = create();
    const remaining = async () => (await ratelimit.getRemaining("client")).remaining;
    assert.equal(await remaining(), LIMIT);
    await ratelimit.limit("client");
    await ratelimit.limit("client", { rate: 2 });
    assert.equal(await remaining(), LIMIT - 3);
    await ratelimit.resetUsedTokens("client");
    assert.equal(await remaining(), LIMIT);
    assert.equal((await ratelimit.limit("client")).success, true);
  });

  test(`${name}: a script flush changes no verdict`, async () => {
    const ratelimit = create();
    assert.equal((await ratelimit.limit("client")).remaining, LIMIT - 1);
    await redis.scriptFlush();
    assert.equal((await ratelimit.limit("client")).remaining, LIMIT - 2);
    assert.equal((await ratelimit.limit("client")).remaining, LIMIT - 3);
  });
}
