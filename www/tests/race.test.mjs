// Races of two clients for one value: the winner, what the loser learns, and unknown results.

import assert from "node:assert/strict";
import { test } from "node:test";
import { race, winner } from "../page/race.js";

const SIDES = ["left", "right"];

test("exactly one side wins and the other learns the value", async () => {
  for (const [leftFirst, first, second] of [[true, 0, 1], [false, 1, 0]]) {
    const { call } = newValue("7 by right");
    const result = await race(call, SIDES, () => leftFirst);
    assert.equal(winner(result), SIDES[first], "in this store the first request wins");
    assert.deepEqual(result.sides[first], { name: SIDES[first], wanted: `8 by ${SIDES[first]}`, won: true, found: null, message: null });
    assert.deepEqual(result.sides[second], { name: SIDES[second], wanted: `8 by ${SIDES[second]}`, won: false, found: `8 by ${SIDES[first]}`, message: null });
    assert.deepEqual([result.before, result.after], ["7 by right", `8 by ${SIDES[first]}`]);
  }
});

test("the value counts every win, so none is lost", async () => {
  const { call } = newValue(null);
  const winners = [];
  for (let index = 0; index < 25; index += 1) winners.push(winner(await race(call, SIDES, () => index % 3 === 0)));
  assert.equal(winners.filter((name) => SIDES.includes(name)).length, 25);
  assert.equal((await call("GET")).body.value, `25 by ${winners.at(-1)}`);
});

test("neither side wins if a third client is faster", async () => {
  const store = newValue("1 by left");
  const call = async (method, path, body) => {
    const response = await store.call(method, path, body);
    if (method === "GET") store.set("2 by third");
    return response;
  };
  const result = await race(call, SIDES, () => true);
  assert.equal(winner(result), "neither");
  assert.deepEqual(result.sides.map(({ found }) => found), ["2 by third", "2 by third"]);
});

test("an API error is not a loss", async () => {
  const down = { ok: false, problem: "redis-unavailable", body: null, message: "Redis did not respond." };
  const unread = await race(async () => down, SIDES, () => true);
  assert.deepEqual([winner(unread), unread.message, unread.sides], [null, "Redis did not respond.", []]);
  const store = newValue("x");
  const unswapped = await race(async (method, ...rest) => (method === "POST" ? down : store.call(method, ...rest)), SIDES, () => true);
  assert.deepEqual([winner(unswapped), unswapped.sides[0].message], [null, "Redis did not respond."]);
  assert.equal(winner({ sides: [{ won: true }, { won: true }] }), "both");
});

/** Creates a value in memory that behaves like the API. */
function newValue(value) {
  return {
    set: (text) => (value = text),
    async call(method, _, body) {
      if (method === "GET") return { ok: true, problem: null, body: { value }, message: null };
      if (body.expected !== value) return { ok: false, problem: "value-conflict", body: { found: value }, message: "Conflict." };
      value = body.new;
      return { ok: true, problem: null, body: { swapped: true }, message: null };
    },
  };
}
