// The chart's columns, the totals and the words: what is shown is what was answered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Series, span } from "../page/chart-data.js";
import { median, Tally } from "../page/totals.js";
import { brief, count, countdown, length, milliseconds, number, period, promise, summary, told } from "../page/format.js";

const limit = (name, remaining, quota, burst = null) => ({ name, remaining, policy: { name, quota, burst } });

test("one limit is drawn in its own units, at the times of the answers", () => {
  const series = new Series();
  series.add({ sentAt: 0, at: 10, limits: [limit("burst", 19, 20)] });
  series.add({ sentAt: 500, at: 510, limits: [] });
  series.add({ sentAt: 1000, at: 1010, limits: [limit("burst", 17, 20)] });
  assert.equal(series.unit, "units");
  assert.equal(series.top, 20);
  assert.deepEqual(series.columns(), [[0.01, 0.51, 1.01], [19, null, 17], [19, null, 17]]);
});

test("the line rises for a refill and not for an answer that was overtaken", () => {
  const series = new Series();
  const left = (sentAt, at, remaining) => series.add({ sentAt, at, limits: [limit("burst", remaining, 20)] });
  left(0, 30, 17);
  left(1, 31, 19);
  left(2, 32, 16);
  left(500, 510, 17);
  const [, dots, line] = series.columns();
  assert.deepEqual(dots, [17, 19, 16, 17]);
  assert.deepEqual(line, [17, null, 16, 17]);
});

test("several limits share the axis as percentages", () => {
  const series = new Series();
  series.add({ sentAt: 0, at: 0, limits: [limit("burst", 50, 50, 100)] });
  series.add({ sentAt: 999, at: 1000, limits: [limit("burst", 25, 50, 100), limit("day", 900, 1000)] });
  assert.equal(series.unit, "percent");
  assert.equal(series.top, 100);
  assert.deepEqual(series.columns(), [[0, 1], [50, 25], [null, 90], [50, 25], [null, 90]]);
  assert.deepEqual(series.limits, [{ name: "burst", capacity: 100 }, { name: "day", capacity: 1000 }]);
});

test("without a policy a limit's scale is the most that was seen of it", () => {
  const series = new Series();
  series.add({ at: 0, limits: [{ name: "a", remaining: 7, policy: null }] });
  series.add({ at: 1, limits: [{ name: "a", remaining: 6, policy: null }] });
  assert.equal(series.top, 7);
  assert.equal(new Series().top, 1);
  assert.deepEqual(new Series().columns(), [[]]);
});

test("the time axis spans the whole plan, and more only where answers came later", () => {
  assert.equal(span(5900, null), 6);
  assert.equal(span(5900, 3000), 6);
  assert.equal(span(5900, 6100), 6.5);
  assert.equal(span(0, 230), 0.3);
  assert.equal(span(0, null), 0.1);
});

test("totals count each outcome, medians leave out what has no time", () => {
  const tally = new Tally();
  for (const answer of [
    { outcome: "allowed", ms: 4, limiterMs: 1 },
    { outcome: "refused", ms: 2, limiterMs: null },
    { outcome: "failed", ms: null, limiterMs: null },
  ]) tally.add(answer);
  assert.deepEqual([tally.allowed, tally.refused, tally.failed, tally.answered], [1, 1, 1, 3]);
  assert.deepEqual([tally.median, tally.limiterMedian], [3, 1]);
  assert.deepEqual([median([]), median([9]), median([10, 9, 1])], [null, 9, 9]);
  assert.equal(summary(tally, 60), "3 of 60 answered: 1 allowed, 1 refused, 1 failed.");
});

test("a policy is a plain sentence", () => {
  const say = (quota, window, burst = null, unit = null) => promise({ quota, window, burst, unit });
  assert.equal(say(1, null, null, "concurrent-requests"), "1 request at a time");
  assert.equal(say(20, 10), "20 requests every 10 s");
  assert.equal(say(1, 1), "1 request every second");
  assert.equal(say(1000000, 86400), "1,000,000 requests every day");
  assert.equal(say(50, 1, 100), "50 requests every second, up to 100 at once");
  assert.equal(say(50, 60, 50), "50 requests every minute");
  assert.equal(say(5, null), "5 requests");
  assert.deepEqual([90, 120, 3600, 7200, 604800].map(period), ["90 s", "2 minutes", "hour", "2 hours", "7 days"]);
});

test("numbers and times are short and stand under each other", () => {
  assert.deepEqual([0.84, 1, 12.34, 99.96, 204.4, 1204, null].map(milliseconds), ["0.8", "1.0", "12.3", "100.0", "204", "1,204", "–"]);
  assert.deepEqual([3, 2.5, 0.25, 1204, null].map(told), ["3", "2.5", "0.3", "1,204", "–"]);
  assert.deepEqual([0, 850, 1000, 5900, 59_990, 60_000, 80_000].map(length), ["at once", "850 ms", "1 s", "5.9 s", "1 min", "1 min", "1 min 20 s"]);
  assert.deepEqual([3_599_999, 3_600_000, 53_521_000, 2_592_000_000].map(length), ["1 h", "1 h", "14 h 52 min", "720 h"]);
  assert.deepEqual([0, 999, 1000, 5940, 5941, 2_592_000, 3_600_000].map(brief), ["0 s", "999 s", "17 min", "99 min", "2 h", "720 h", "1,000 h"]);
  assert.deepEqual([1, 1400, 59_999, 60_000, 61_500, 53_521_000].map(countdown), ["0.1 s", "1.4 s", "60.0 s", "1:00 min", "1:02 min", "14:53 h"]);
  assert.equal(count(1, "request"), "1 request");
  assert.equal(number(1234567), "1,234,567");
});
