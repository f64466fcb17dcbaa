// The chart's columns, the totals and the words: what is shown is what was answered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChartData, timeAxisEnd } from "../page/chart-data.js";
import { median, Totals } from "../page/totals.js";
import { countdown, describePolicy, duration, measuredMs, number, pluralize, reportedMs, runSummary, shortDuration, windowName } from "../page/format.js";

const limit = (name, remaining, quota, burst = null) => ({ name, remaining, policy: { name, quota, burst } });

test("one limit is drawn in its own units, at the times of the responses", () => {
  const data = new ChartData();
  data.add({ sentAt: 0, at: 10, limits: [limit("burst", 19, 20)] });
  data.add({ sentAt: 500, at: 510, limits: [] });
  data.add({ sentAt: 1000, at: 1010, limits: [limit("burst", 17, 20)] });
  assert.equal(data.unit, "units");
  assert.equal(data.top, 20);
  assert.deepEqual(data.columns(), [[0.01, 0.51, 1.01], [19, null, 17], [19, null, 17]]);
});

test("the line rises for a refill and not for a response that was overtaken", () => {
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

test("without a policy a limit's scale is the most that was seen of it", () => {
  const data = new ChartData();
  data.add({ at: 0, limits: [{ name: "a", remaining: 7, policy: null }] });
  data.add({ at: 1, limits: [{ name: "a", remaining: 6, policy: null }] });
  assert.equal(data.top, 7);
  assert.equal(new ChartData().top, 1);
  assert.deepEqual(new ChartData().columns(), [[]]);
});

test("the time axis spans the whole plan, and more only where responses came later", () => {
  assert.equal(timeAxisEnd(5900, null), 6);
  assert.equal(timeAxisEnd(5900, 3000), 6);
  assert.equal(timeAxisEnd(5900, 6100), 6.5);
  assert.equal(timeAxisEnd(0, 230), 0.3);
  assert.equal(timeAxisEnd(0, null), 0.1);
});

test("totals count each outcome, medians leave out what has no time", () => {
  const totals = new Totals();
  for (const response of [
    { outcome: "allowed", ms: 4, limiterMs: 1 },
    { outcome: "refused", ms: 2, limiterMs: null },
    { outcome: "failed", ms: null, limiterMs: null },
  ]) totals.add(response);
  assert.deepEqual([totals.allowed, totals.refused, totals.failed, totals.answered], [1, 1, 1, 3]);
  assert.deepEqual([totals.median, totals.limiterMedian], [3, 1]);
  assert.deepEqual([median([]), median([9]), median([10, 9, 1])], [null, 9, 9]);
  assert.equal(runSummary(totals, 60), "3 of 60 answered: 1 allowed, 1 refused, 1 failed.");
});

test("a policy is a plain sentence", () => {
  const policy = (quota, window, burst = null, unit = null) => describePolicy({ quota, window, burst, unit });
  assert.equal(policy(1, null, null, "concurrent-requests"), "1 request at a time");
  assert.equal(policy(20, 10), "20 requests every 10 s");
  assert.equal(policy(1, 1), "1 request every second");
  assert.equal(policy(1000000, 86400), "1,000,000 requests every day");
  assert.equal(policy(50, 1, 100), "50 requests every second, up to 100 at once");
  assert.equal(policy(50, 60, 50), "50 requests every minute");
  assert.equal(policy(5, null), "5 requests");
  assert.deepEqual([90, 120, 3600, 7200, 604800].map(windowName), ["90 s", "2 minutes", "hour", "2 hours", "7 days"]);
});

test("numbers and times are short and stand under each other", () => {
  assert.deepEqual([0.84, 1, 12.34, 99.96, 204.4, 1204, null].map(measuredMs), ["0.8", "1.0", "12.3", "100.0", "204", "1,204", "–"]);
  assert.deepEqual([3, 2.5, 0.25, 1204, null].map(reportedMs), ["3", "2.5", "0.3", "1,204", "–"]);
  assert.deepEqual([0, 850, 1000, 5900, 59_990, 60_000, 80_000].map(duration), ["at once", "850 ms", "1 s", "5.9 s", "1 min", "1 min", "1 min 20 s"]);
  assert.deepEqual([3_599_999, 3_600_000, 53_521_000, 2_592_000_000].map(duration), ["1 h", "1 h", "14 h 52 min", "720 h"]);
  assert.deepEqual([0, 999, 1000, 5940, 5941, 2_592_000, 3_600_000].map(shortDuration), ["0 s", "999 s", "17 min", "99 min", "2 h", "720 h", "1,000 h"]);
  assert.deepEqual([1, 1400, 59_999, 60_000, 61_500, 53_521_000].map(countdown), ["0.1 s", "1.4 s", "60.0 s", "1:00 min", "1:02 min", "14:53 h"]);
  assert.equal(pluralize(1, "request"), "1 request");
  assert.equal(number(1234567), "1,234,567");
});
