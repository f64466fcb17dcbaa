// The columns and axes of the chart.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChartData, timeAxisEnd } from "../page/chart-data.js";

const limit = (name, remaining, quota, burst = null) => ({ name, remaining, policy: { name, quota, burst } });

test("a single limit is drawn in its own units", () => {
  const data = new ChartData();
  data.add({ sentAt: 0, at: 10, limits: [limit("burst", 19, 20)] });
  data.add({ sentAt: 500, at: 510, limits: [] });
  data.add({ sentAt: 1000, at: 1010, limits: [limit("burst", 17, 20)] });
  assert.equal(data.unit, "units");
  assert.equal(data.top, 20);
  assert.deepEqual(data.columns(), [[0.01, 0.51, 1.01], [19, null, 17], [19, null, 17]]);
});

test("the line ignores responses that arrive out of order", () => {
  const data = new ChartData();
  const left = (sentAt, at, remaining) => data.add({ sentAt, at, limits: [limit("burst", remaining, 20)] });
  left(0, 30, 17);
  left(1, 31, 19);
  left(2, 32, 16);
  left(500, 510, 17);
  const [, dots, line] = data.columns();
  assert.deepEqual(dots, [17, 19, 16, 17]);
  assert.deepEqual(line, [17, null, 16, 17]);
});

test("several limits share the axis as percentages", () => {
  const data = new ChartData();
  data.add({ sentAt: 0, at: 0, limits: [limit("burst", 50, 50, 100)] });
  data.add({ sentAt: 999, at: 1000, limits: [limit("burst", 25, 50, 100), limit("day", 900, 1000)] });
  assert.equal(data.unit, "percent");
  assert.equal(data.top, 100);
  assert.deepEqual(data.columns(), [[0, 1], [50, 25], [null, 90], [50, 25], [null, 90]]);
  assert.deepEqual(data.limits, [{ name: "burst", capacity: 100 }, { name: "day", capacity: 1000 }]);
});

test("without a policy the highest value sets the scale", () => {
  const data = new ChartData();
  data.add({ at: 0, limits: [{ name: "a", remaining: 7, policy: null }] });
  data.add({ at: 1, limits: [{ name: "a", remaining: 6, policy: null }] });
  assert.equal(data.top, 7);
  assert.equal(new ChartData().top, 1);
  assert.deepEqual(new ChartData().columns(), [[]]);
});

test("the time axis covers the planned run and late responses", () => {
  assert.equal(timeAxisEnd(5900, null), 6);
  assert.equal(timeAxisEnd(5900, 3000), 6);
  assert.equal(timeAxisEnd(5900, 6100), 6.5);
  assert.equal(timeAxisEnd(0, 230), 0.3);
  assert.equal(timeAxisEnd(0, null), 0.1);
});
