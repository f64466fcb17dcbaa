// The unmodified @upstash/redis against the running bridge at SLUICEGATE_BRIDGE_URL with the token
// SLUICEGATE_BRIDGE_TOKEN. Run with --test-concurrency=1: the files flush scripts and count requests.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { Redis } from "@upstash/redis";

const { SLUICEGATE_BRIDGE_URL: url, SLUICEGATE_BRIDGE_TOKEN: token } = process.env;
assert.ok(url && token, "SLUICEGATE_BRIDGE_URL and SLUICEGATE_BRIDGE_TOKEN are not set");

/** Returns the number of requests to a route with status 200. */
async function requests(route) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = `sluicegate_bridge_http_requests_total{route="${route}",status="200"} `;
  return Number(text.split("\n").find((found) => found.startsWith(line))?.slice(line.length) ?? 0);
}

/** The client's defaults, then without auto-pipelining, then with plain strings as well. */
const modes = [
  { responseEncoding: "base64", enableAutoPipelining: true },
  { responseEncoding: "base64", enableAutoPipelining: false },
  { responseEncoding: false, enableAutoPipelining: false },
];

for (const mode of modes) {
  describe(`@upstash/redis ${JSON.stringify(mode)}`, () => {
    const redis = new Redis({ url, token, ...mode });
    let key;

    const fresh = () => (key = `test:${randomUUID()}`);

    test("ping, set, get, del", async () => {
      fresh();
      assert.equal(await redis.ping(), "PONG");
      assert.equal(await redis.set(key, "value"), "OK");
      assert.equal(await redis.get(key), "value");
      assert.equal(await redis.del(key), 1);
      assert.equal(await redis.get(key), null);
    });

    test("reads back OK, empty strings, numbers, objects and Unicode text", async () => {
      for (const value of ["OK", "", 42, 1.5, { a: [1, "b", null] }, "naïve Ωмега 水 🚰 \" \\ \n\u0000"]) {
        await redis.set(fresh(), value);
        assert.deepEqual(await redis.get(key), value);
      }
    });

    test("set with options", async () => {
      fresh();
      assert.equal(await redis.set(key, "a", { nx: true, ex: 100 }), "OK");
      assert.equal(await redis.set(key, "b", { nx: true }), null);
      const ttl = await redis.ttl(key);
      assert.ok(ttl > 90 && ttl <= 100, `ttl ${ttl}`);
    });

    test("incr, decrby, incrbyfloat", async () => {
      fresh();
      assert.equal(await redis.incr(key), 1);
      assert.equal(await redis.incr(key), 2);
      assert.equal(await redis.decrby(key, 5), -3);
      assert.equal(await redis.incrbyfloat(key, 0.5), -2.5);
    });

    test("mset and mget, with null for a missing key", async () => {
      fresh();
      assert.equal(await redis.mset({ [`${key}:a`]: "1st", [`${key}:b`]: "2nd" }), "OK");
      assert.deepEqual(await redis.mget(`${key}:a`, `${key}:none`, `${key}:b`), ["1st", null, "2nd"]);
    });

    test("reads back the value OK inside arrays, transactions and pipelines", async () => {
      fresh();
      assert.equal(await redis.set(key, "OK"), "OK");
      assert.equal(await redis.get(key), "OK");
      assert.deepEqual(await redis.mget(key, `${key}:none`, key), ["OK", null, "OK"]);
      assert.deepEqual(await redis.eval("return {'OK', {'OK'}, redis.call('PING'), {ok = 'OK'}}", [], []), [
        "OK",
        ["OK"],
        "PONG",
        "OK",
      ]);
      for (const batch of [redis.multi(), redis.pipeline()]) {
        const results = await batch.set(key, "OK").get(key).mget(key, key).exec();
        assert.deepEqual(results, ["OK", "OK", ["OK", "OK"]]);
      }
    });

    test("hash, list, set, sorted set", async () => {
      fresh();
      await redis.hset(`${key}:h`, { one: 1, two: "zwei" });
      assert.deepEqual(await redis.hgetall(`${key}:h`), { one: 1, two: "zwei" });
      assert.equal(await redis.hgetall(`${key}:none`), null);
      assert.equal(await redis.rpush(`${key}:l`, "a", "b"), 2);
      assert.deepEqual(await redis.lrange(`${key}:l`, 0, -1), ["a", "b"]);
      assert.equal(await redis.zadd(`${key}:z`, { score: 1.5, member: "m" }), 1);
      assert.deepEqual(await redis.zrange(`${key}:z`, 0, -1, { withScores: true }), ["m", 1.5]);
      const [cursor, found] = await redis.scan("0", { match: `${key}:l`, count: 100000 });
      assert.equal(String(cursor), "0");
      assert.deepEqual(found, [`${key}:l`]);
    });

    test("eval, evalsha, script load, exists and flush", async () => {
      const script = `return {KEYS[1], ARGV[1], 7, '${fresh()}'}`;
      const sha = createHash("sha1").update(script).digest("hex");
      await assert.rejects(redis.evalsha(sha, [key], ["x"]), /NOSCRIPT/);
      assert.deepEqual(await redis.eval(script, [key], ["x"]), [key, "x", 7, key]);
      assert.deepEqual(await redis.evalsha(sha, [key], ["y"]), [key, "y", 7, key]);
      const other = `return '${fresh()}'`;
      const loaded = await redis.scriptLoad(other);
      assert.equal(loaded, createHash("sha1").update(other).digest("hex"));
      assert.deepEqual(await redis.scriptExists(loaded, "0".repeat(40)), [1, 0]);
      assert.equal(await redis.evalsha(loaded, [], []), key);
    });

    test("a script object runs by EVALSHA, then EVAL", async () => {
      fresh();
      const script = redis.createScript(`return redis.call('SET', KEYS[1], '${key}')`);
      assert.equal(await script.exec([key], []), "OK");
      assert.equal(await script.exec([key], []), "OK");
      assert.equal(await redis.get(key), key);
    });

    test("a script returns nested arrays and null", async () => {
      const result = await redis.eval("return {1, {2, {'three', false}}, false, {}}", [], []);
      assert.deepEqual(result, [1, [2, ["three", null]], null, []]);
    });

    test("a failed command rejects with the error text of Redis", async () => {
      await redis.set(fresh(), "text");
      await assert.rejects(redis.lpush(key, "x"), /WRONGTYPE Operation against a key holding the wrong kind of value/);
    });

    test("a pipeline returns results and errors in order", async () => {
      fresh();
      const pipeline = redis.pipeline().set(key, "text").incr(`${key}:n`).lpush(key, "x").get(key);
      const results = await pipeline.exec({ keepErrors: true });
      assert.deepEqual(results.map((entry) => entry.result ?? null), ["OK", 1, null, "text"]);
      assert.match(results[2].error, /WRONGTYPE/);
    });

    test("multi runs all commands", async () => {
      fresh();
      const results = await redis.multi().set(key, 1).incr(key).mget(key, `${key}:none`).exec();
      assert.deepEqual(results, ["OK", 2, [2, null]]);
    });

    test("multi runs nothing if a command cannot be queued", async () => {
      fresh();
      const withoutKeys = redis.multi().set(key, "written").del();
      await assert.rejects(withoutKeys.exec(), /EXECABORT .*wrong number of arguments for 'del' command/);
      assert.equal(await redis.get(key), null);
    });

    test("read-your-writes works with the returned sync token", async () => {
      fresh();
      const client = new Redis({ url, token, ...mode, readYourWrites: true });
      for (let i = 0; i < 3; i++) {
        await client.set(key, i);
        assert.equal(await client.get(key), i);
      }
    });

    test("a wrong token rejects", async () => {
      const unauthorized = new Redis({ url, token: "wrong", ...mode });
      await assert.rejects(unauthorized.get("a"), /WRONGPASS/);
    });
  });
}

test("auto-pipelining sends the writes of one tick together, then the reads", async () => {
  const key = `test:${randomUUID()}`;
  const redis = new Redis({ url, token, enableAutoPipelining: true });
  const before = await requests("pipeline");
  assert.deepEqual(await Promise.all([redis.set(`${key}:a`, "a"), redis.incr(`${key}:n`)]), ["OK", 1]);
  assert.deepEqual(await Promise.all([redis.get(`${key}:a`), redis.get(`${key}:none`)]), ["a", null]);
  assert.equal(await requests("pipeline"), before + 2);
});

test("bytes that are not UTF-8 survive in request bodies and base64 results", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const key = `test:${randomUUID()}`;
  const headers = { authorization: `Bearer ${token}`, "upstash-encoding": "base64" };
  const set = await fetch(`${url}/set/${key}?EX=100`, { method: "POST", headers, body: bytes });
  assert.deepEqual(await set.json(), { result: "OK" });

  const get = await fetch(`${url}/get/${key}`, { headers });
  const { result } = await get.json();
  assert.deepEqual(Buffer.from(result, "base64"), Buffer.from(bytes));

  const redis = new Redis({ url, token });
  assert.equal(await redis.strlen(key), 256);
  assert.equal(await redis.getrange(key, 65, 67), "ABC");
});
