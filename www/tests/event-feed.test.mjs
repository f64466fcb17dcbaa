// The events of isolates: each is there once, whichever isolate answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventFeed } from "../console/event-feed.js";

/** Isolates by id, each with its number of events. `turns` says which of them answers each call. */
function isolates(counts, turns) {
  const calls = [];
  const call = async (method, path) => {
    const after = Number(new URL(path, "http://api").searchParams.get("after"));
    const isolate = turns[calls.length] ?? turns.at(-1);
    calls.push([isolate, after]);
    const all = Array.from({ length: counts[isolate] }, (_, index) => ({ number: index + 1, event: "refused" }));
    return { ok: true, body: { isolate, next: all.length, dropped: 0, events: all.filter(({ number }) => number > after) } };
  };
  return { calls, counts, feed: new EventFeed(call) };
}

const shown = ({ events }) => events.map(({ isolate, number }) => `${isolate}${number}`).join(" ");

test("the events of an isolate come once each, newest first", async () => {
  const { feed, calls, counts } = isolates({ a: 2 }, ["a"]);
  await feed.poll();
  counts.a = 3;
  await feed.poll();
  await feed.poll();
  assert.equal(shown(feed), "a3 a2 a1");
  assert.deepEqual(calls, [["a", 0], ["a", 2], ["a", 3]]);
});

test("another isolate is asked for its own events", async () => {
  const { feed, calls } = isolates({ a: 3, b: 2 }, ["a", "b", "b", "a", "a"]);
  await feed.poll();
  await feed.poll();
  assert.equal(feed.isolate, "b");
  assert.equal(shown(feed), "b2 b1 a3 a2 a1");
  await feed.poll();
  assert.equal(shown(feed), "b2 b1 a3 a2 a1", "no event of the first isolate comes twice");
  assert.deepEqual(calls, [["a", 0], ["b", 3], ["b", 0], ["a", 2], ["a", 3]]);
});

test("an answer to a question for another isolate is not taken", async () => {
  const { feed } = isolates({ a: 3, b: 5 }, ["a", "b", "a", "b", "b"]);
  await feed.poll();
  await feed.poll();
  assert.equal(shown(feed), "a3 a2 a1");
  await feed.poll();
  assert.equal(shown(feed), "b5 b4 b3 b2 b1 a3 a2 a1");
});

test("a failure changes nothing, and cleared events do not come back", async () => {
  const { feed } = isolates({ a: 2 }, ["a"]);
  await feed.poll();
  feed.clear();
  await feed.poll();
  assert.deepEqual(feed.events, []);
  const failing = new EventFeed(async () => ({ ok: false, message: "no" }));
  assert.equal((await failing.poll()).ok, false);
  assert.deepEqual([failing.events, failing.isolate], [[], null]);
});
