// The lock client, against a lock in memory that behaves like the API, with a simulated clock.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LockClient } from "../page/lock-client.js";

test("acquire, renew and release keep the same token", async () => {
  const world = newWorld();
  const tab = world.tab("a");
  await tab.client.acquire(1000, never());
  assert.deepEqual([tab.client.phase, tab.client.token, tab.client.endsAt], ["held", 1, 988]);
  world.advance(500);
  await tab.client.renew(1000);
  assert.deepEqual([tab.client.phase, tab.client.token, tab.client.endsAt], ["held", 1, 1488]);
  await tab.client.release();
  assert.equal(tab.client.phase, "none");
  assert.deepEqual(tab.tones, ["good", "good", "good"]);
});

test("the next holder fences off a late write", async () => {
  const world = newWorld();
  const [first, second] = [world.tab("a"), world.tab("b")];
  await first.client.acquire(2500, never());
  await first.client.write("by a");
  await second.client.acquire(1000, never());
  assert.deepEqual([second.client.phase, second.client.token], ["held", 2]);
  assert.equal(world.now(), 2501, "retried as soon as the lease had ended");
  assert.match(second.messages[0], /^Another client holds the lock for up to 2\.5 s more/);
  assert.equal(second.messages.length, 2, "waiting is reported once");

  first.client.expire();
  assert.equal(first.client.phase, "expired");
  await first.client.write("late");
  assert.equal(first.messages.at(-1), "Write refused: token 1 is stale, the newest is 2.");
  assert.equal((await first.client.read()).text, "by a");
  for (const action of ["renew", "release"]) {
    await first.client[action](1000);
    assert.equal(first.tones.at(-1), "bad", action);
  }
  await second.client.write("by b");
  assert.equal((await first.client.read()).text, "by b");
});

test("a released lock is acquired at the next retry", async () => {
  const world = newWorld();
  const [first, second] = [world.tab("a"), world.tab("b")];
  await first.client.acquire(60_000, never());
  world.onPause = () => world.now() > 2000 && first.client.phase === "held" && first.client.release();
  await second.client.acquire(1000, never());
  assert.deepEqual([first.client.phase, second.client.phase], ["none", "held"]);
  assert.ok(world.now() < 5000);
});

test("a late write succeeds while nobody else acquires the lock", async () => {
  const world = newWorld();
  const { client, messages } = world.tab("a");
  await client.acquire(1000, never());
  client.expire();
  assert.equal(client.phase, "held", "the lease has not expired yet");
  world.advance(1000);
  client.expire();
  await client.write("late");
  assert.match(messages.at(-1), /^Written with token 1\. The lock is no longer held, but nobody has acquired it since/);
});

test("a client that stops waiting holds nothing", async () => {
  const world = newWorld();
  const [first, second] = [world.tab("a"), world.tab("b")];
  await first.client.acquire(60_000, never());
  const stop = new AbortController();
  world.onPause = () => stop.abort();
  await second.client.acquire(1000, stop.signal);
  assert.deepEqual([second.client.phase, second.client.token, second.messages.at(-1)], ["none", null, "Stopped waiting."]);
});

test("an API error is reported and changes no state", async () => {
  const world = newWorld();
  const { client, messages } = world.tab("a");
  await client.acquire(1000, never());
  world.broken = true;
  for (const action of [() => client.renew(1000), () => client.release(), () => client.write("x")]) {
    await action();
    assert.match(messages.at(-1), /Redis did not respond/);
    assert.deepEqual([client.phase, client.token], ["held", 1]);
  }
  assert.deepEqual(await client.read(), { text: null, message: "Redis did not respond." });
});

/** Creates a lock, its protected value, and a clock that advances only during a pause. */
function newWorld() {
  let time = 0;
  let newest = 0;
  let holder = null;
  let value = null;
  const held = () => holder !== null && time < holder.until;
  const holds = ({ owner, token }) => held() && holder.owner === owner && holder.token === token;
  const failure = (name, body = {}) => ({ ok: false, problem: name, body, message: `${name}.` });
  const success = (body) => ({ ok: true, problem: null, body, message: null });
  const actions = {
    "POST /locks/demo/acquire": ({ owner, ttl_ms: ttl }) => {
      if (held() && holder.owner !== owner) return failure("lock-held", { "retry-after-ms": holder.until - time });
      holder = { owner, token: ++newest, until: time + ttl };
      return success({ token: newest, ttl_ms: ttl });
    },
    "POST /locks/demo/renew": (body) => {
      if (!holds(body)) return failure("lock-lost");
      holder.until = time + body.ttl_ms;
      return success({ token: body.token });
    },
    "POST /locks/demo/release": (body) => {
      if (!holds(body)) return failure("lock-lost");
      holder = null;
      return success(null);
    },
    "PUT /locks/demo/values/note": ({ token, value: text }) => {
      if (token < newest) return failure("stale-token", { newest });
      value = text;
      return success({ token });
    },
    "GET /locks/demo/values/note": () => success({ value }),
  };
  const world = {
    broken: false,
    onPause: () => {},
    now: () => time,
    advance: (ms) => (time += ms),
    tab(owner) {
      const [messages, tones] = [[], []];
      const client = new LockClient({
        call: async (method, path, body) =>
          world.broken ? { ok: false, problem: "redis-unavailable", body: {}, message: "Redis did not respond." } : actions[`${method} ${path}`](body),
        owner,
        now: world.now,
        async pause(ms) {
          time += ms;
          await world.onPause();
        },
        onChange(tone, text) {
          tones.push(tone);
          messages.push(text);
        },
      });
      return { client, messages, tones };
    },
  };
  return world;
}

function never() {
  return new AbortController().signal;
}
