// Schedules, request targets and the load generator, with a simulated clock.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runSchedule } from "../page/load-generator.js";
import { parseTarget } from "../page/request-target.js";
import { dueAt, durationMs, maxConcurrent, newSchedule } from "../page/schedule.js";
import { sleep } from "../page/sleep.js";

test("an invalid schedule is refused with expected and found", () => {
  assert.deepEqual({ ...newSchedule(500, 0.1) }, { count: 500, rate: 0.1 });
  assert.deepEqual({ ...newSchedule(1, null) }, { count: 1, rate: null });
  for (const count of [0, 501, 1.5, Number.NaN]) assert.throws(() => newSchedule(count, null), /requests: expected .* from 1 to 500, found/);
  for (const rate of [0, 0.09, 201, Number.NaN, -1]) assert.throws(() => newSchedule(1, rate), /rate: expected .*, found/);
});

test("requests are due at equal intervals or all at once", () => {
  assert.deepEqual([0, 1, 2, 19].map((index) => dueAt(newSchedule(20, 10), index)), [0, 100, 200, 1900]);
  assert.equal(durationMs(newSchedule(60, 10)), 5900);
  assert.equal(durationMs(newSchedule(500, null)), 0);
});

test("only HTTP/1.1 limits the requests in flight to six", () => {
  assert.deepEqual(["http/1.1", "h2", "h3", "", undefined].map(maxConcurrent), [6, 500, 500, 6, 6]);
});

test("a run sends each request when it is due", async () => {
  const clock = newClock();
  const sentAt = [];
  const sent = await runSchedule({
    schedule: newSchedule(5, 4),
    maxConcurrent: 6,
    send: async (index) => sentAt.push([index, clock.now()]),
    ...clock,
    signal: new AbortController().signal,
  });
  assert.equal(sent, 5);
  assert.deepEqual(sentAt, [[0, 0], [1, 250], [2, 500], [3, 750], [4, 1000]]);
});

test("a late request is sent at once, the next on schedule", async () => {
  const clock = newClock();
  const sentAt = [];
  const send = async () => {
    sentAt.push(clock.now());
    if (sentAt.length === 1) clock.advance(250);
  };
  await runSchedule({ schedule: newSchedule(5, 10), maxConcurrent: 6, send, ...clock, signal: new AbortController().signal });
  assert.deepEqual(sentAt, [0, 250, 250, 300, 400]);
});

test("no more requests are in flight than allowed", async () => {
  let inFlight = 0;
  let most = 0;
  const send = async () => {
    most = Math.max(most, ++inFlight);
    await new Promise(setImmediate);
    inFlight -= 1;
  };
  const sent = await runSchedule({ schedule: newSchedule(50, null), maxConcurrent: 6, send, ...newClock(), signal: new AbortController().signal });
  assert.deepEqual({ sent, most, inFlight }, { sent: 50, most: 6, inFlight: 0 });
});

test("a stopped run waits for the requests in flight", async () => {
  const stop = new AbortController();
  let answered = 0;
  const send = async (index) => {
    if (index === 2) stop.abort();
    await new Promise(setImmediate);
    answered += 1;
  };
  const sent = await runSchedule({ schedule: newSchedule(50, 10), maxConcurrent: 6, send, ...newClock(), signal: stop.signal });
  assert.deepEqual({ sent, answered }, { sent: 3, answered: 3 });
});

test("an abort ends a sleep", async () => {
  const stop = new AbortController();
  const slept = sleep(3_600_000, stop.signal);
  stop.abort();
  await slept;
  await sleep(3_600_000, stop.signal);
});

test("a target is a path outside /_sluicegate/", () => {
  const check = (text) => parseTarget(text, "https://site.example");
  assert.equal(check("/"), "/");
  assert.equal(check("/a/../b?q=1%202#gone"), "/b?q=1%202");
  assert.equal(check("/_sluicegates"), "/_sluicegates");
  for (const text of ["", "hello", "https://site.example/"]) assert.throws(() => check(text), /must begin with a slash/);
  for (const text of ["//other.example/", "/\\other.example/"]) assert.throws(() => check(text), /another site/);
  for (const text of ["/_sluicegate", "/_sluicegate/health", "/x/../_sluicegate/"]) assert.throws(() => check(text), /not limited/);
});

/** Creates a clock that advances only during a sleep. */
function newClock() {
  let time = 0;
  return {
    now: () => time,
    advance: (ms) => (time += ms),
    sleep: async (ms) => void (time += ms),
  };
}
