// The parts of the Compare view that need no browser: links, sliders, live levels, and the order of live requests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atPosition, position } from "../page/compare-form.js";
import { fragmentFor, settingInFragment, settingText } from "../page/compare-link.js";
import { LiveError, sendLive } from "../page/compare-live.js";
import { levels } from "../page/compare-picture.js";

test("a setting in a fragment is found again", () => {
  assert.equal(settingInFragment(fragmentFor("preset=steady&limit=1")), "preset=steady&limit=1");
  for (const other of ["", "#compare", "#compares?limit=1", "#tenants?limit=1"]) assert.equal(settingInFragment(other), null, other);
  const form = { preset: "herd", limit: "20", window: "1.5", burst: "7", demand: "100", hold: "0.001", seed: "3" };
  assert.equal(settingText(form), "preset=herd&limit=20&window=1500ms&burst=7&demand=100&hold=1ms&seed=3");
});

test("each position of a slider is found again from its value", () => {
  const ends = [10, 1_000];
  assert.deepEqual([atPosition(0, ends), atPosition(50, ends), atPosition(100, ends)], [10, 100, 1_000]);
  for (let step = 0; step <= 100; step += 1) assert.ok(Math.abs(position(atPosition(step, ends), ends) - step) <= 1, `${step}`);
  assert.deepEqual([position(1, ends), position(5_000, ends), atPosition(51, [1, 100_000])], [0, 100, 350]);
});

test("the level of an admission counts the window that ends with it", () => {
  assert.deepEqual(levels(Float64Array.of(0, 5, 9, 10, 10, 15), 10), [1, 2, 3, 3, 4, 4]);
});

/** A lane of three requests that are due at once. */
function fakeLane(log, name) {
  let sent = 0;
  return {
    get nextDue() {
      return sent < 3 ? 1_000 : undefined;
    },
    send() {
      sent += 1;
      log.push(`send ${name} ${sent}`);
      return `{"limits":[{"name":"${name}"}]}`;
    },
    answer(at, allowed, retry, remaining, reset) {
      log.push(`answer ${name} ${sent}`);
      return [at, allowed, retry, remaining, reset].join() === "1000,true,0,4,5";
    },
  };
}

function live(call, log) {
  const comparison = { lane: (model) => fakeLane(log, model) };
  const same = [];
  const done = sendLive({
    admin: { call },
    comparison,
    models: ["a", "b"],
    now: () => 0,
    sleep: async () => {},
    signal: new AbortController().signal,
    onAnswer: (model, lane, coincides) => same.push(coincides),
  });
  return { done, same };
}

const DECIDED = { ok: true, body: { at: 1_000, allowed: true, retry_ms: 0, limits: [{ remaining: 4, reset_ms: 5 }] } };

test("live requests of one algorithm are sent one after the other, on a subject of their own", async () => {
  const log = [];
  const subjects = new Set();
  const { done, same } = live(async (method, path, { subject }) => {
    subjects.add(subject.split(":").at(-1));
    return DECIDED;
  }, log);
  await done;
  const of = (name) => log.filter((entry) => entry.split(" ")[1] === name);
  for (const name of ["a", "b"]) {
    assert.deepEqual(of(name), [1, 2, 3].flatMap((number) => [`send ${name} ${number}`, `answer ${name} ${number}`]));
  }
  assert.deepEqual(same, Array(6).fill(true));
  assert.deepEqual([...subjects], ["clock", "a", "b"]);
});

test("a live run stops at the first request that is not decided", async () => {
  const log = [];
  let calls = 0;
  const { done, same } = live(async () => {
    calls += 1;
    return calls === 4 ? { ok: false, message: "Redis did not answer." } : DECIDED;
  }, log);
  await assert.rejects(done, (error) => error instanceof LiveError && error.message === "Redis did not answer.");
  assert.ok(same.length < 6, log.join());
});
