// One tab's hold on a lock, against a lock that keeps the API's promises in memory. Time is a number here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LockClient } from "../page/lock-client.js";

test("a free lock is acquired, renewed and released, and the token stays the same", async () => {
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

test("the second waits, takes over when the lease has ended, and the late write of the first is refused", async () => {
  const world = newWorld();
  const [first, second] = [world.tab("a"), world.tab("b")];
  await first.client.acquire(2500, never());
  await first.client.write("by a");
  await second.client.acquire(1000, never());
  assert.deepEqual([second.client.phase, second.client.token], ["held", 2]);
  assert.equal(world.now(), 2501, "it asked again as soon as the lease had ended");
  assert.match(second.said[0], /^Somebody else holds the lock, for 2\.5 s more/);
  assert.equal(second.said.length, 2, "waiting is told once");

  first.client.expire();
  assert.equal(first.client.phase, "over");
  await first.client.write("late");
  assert.equal(first.said.at(-1), "Refused: token 1 is old, 2 is the newest. Nothing was written.");
  assert.equal((await first.client.read()).text, "by a");
  for (const action of ["renew", "release"]) {
    await first.client[action](1000);
    assert.equal(first.tones.at(-1), "bad", action);
  }
  await second.client.write("by b");
  assert.equal((await first.client.read()).text, "by b");
});

test("a lock that is released early is taken at the next try", async () => {
  const world = newWorld();
  const [first, second] = [world.tab("a"), world.tab("b")];
  await first.client.acquire(60_000, never());
  world.onPause = () => world.now() > 2000 && first.client.phase === "held" && first.client.release();
  await second.client.acquire(1000, never());
  assert.deepEqual([first.client.phase, second.client.phase], ["none", "held"]);
  assert.ok(world.now() < 5000);
});

test("a late write passes as long as nobody has taken the lock, and says that it is late", async () => {
  const world = newWorld();
  const { client, said } = world.tab("a");
  await client.acquire(1000, never());
  client.expire();
  assert.equal(client.phase, "held", "it is not over yet");
  world.advance(1000);
  client.expire();
  await client.write("late");
  assert.match(said.at(-1), /^Written with token 1\. It came late, but nobody has taken the lock since/);
});

test("whoever stops waiting holds nothing", async () => {
  const world = newWorld();
  const [first, second] = [world.tab("a"), world.tab("b")];
  await first.client.acquire(60_000, never());
  const stop = new AbortController();
  world.onPause = () => stop.abort();
  await second.client.acquire(1000, stop.signal);
  assert.deepEqual([second.client.phase, second.client.token, second.said.at(-1)], ["none", null, "Stopped waiting."]);
});

test("a gate that cannot say is told, and changes nothing", async () => {
  const world = newWorld();
  const { client, said } = world.tab("a");
  await client.acquire(1000, never());
  world.broken = true;
  for (const action of [() => client.renew(1000), () => client.release(), () => client.write("x")]) {
    await action();
    assert.match(said.at(-1), /Redis did not respond/);
    assert.deepEqual([client.phase, client.token], ["held", 1]);
  }
  assert.deepEqual(await client.read(), { text: null, message: "Redis did not respond." });
});

/** A lock, its guarded value and a clock that moves only when somebody waits. */
function newWorld() {
  let time = 0;
  let newest = 0;
  let holder = null;
  let value = null;
  const held = () => holder !== null && time < holder.until;
  const holds = ({ owner, token }) => held() && holder.owner === owner && holder.token === token;
  const fails = (name, body = {}) => ({ ok: false, problem: name, body, message: `${name}.` });
  const works = (body) => ({ ok: true, problem: null, body, message: null });
  const actions = {
    "POST /locks/demo/acquire": ({ owner, ttl_ms: ttl }) => {
      if (held() && holder.owner !== owner) return fails("lock-held", { "retry-after-ms": holder.until - time });
      holder = { owner, token: ++newest, until: time + ttl };
      return works({ token: newest, ttl_ms: ttl });
    },
    "POST /locks/demo/renew": (body) => {
      if (!holds(body)) return fails("lock-lost");
      holder.until = time + body.ttl_ms;
      return works({ token: body.token });
    },
    "POST /locks/demo/release": (body) => {
      if (!holds(body)) return fails("lock-lost");
      holder = null;
      return works(null);
    },
    "PUT /locks/demo/values/note": ({ token, value: text }) => {
      if (token < newest) return fails("stale-token", { newest });
      value = text;
      return works({ token });
    },
    "GET /locks/demo/values/note": () => works({ value }),
  };
  const world = {
    broken: false,
    onPause: () => {},
    now: () => time,
    advance: (ms) => (time += ms),
    tab(owner) {
      const [said, tones] = [[], []];
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
          said.push(text);
        },
      });
      return { client, said, tones };
    },
  };
  return world;
}

function never() {
  return new AbortController().signal;
}
