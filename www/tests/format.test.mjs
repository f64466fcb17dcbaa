// Policies, numbers and times as text.

import assert from "node:assert/strict";
import { test } from "node:test";
import { countdown, describePolicy, duration, measuredMs, number, pluralize, reportedMs, shortDuration, windowName } from "../page/format.js";

test("a policy is described in words", () => {
  const policy = (quota, window, burst = null, unit = null) => describePolicy({ quota, window, burst, unit });
  assert.equal(policy(1, null, null, "concurrent-requests"), "1 concurrent request");
  assert.equal(policy(20, 10), "20 requests per 10 s");
  assert.equal(policy(1, 1), "1 request per second");
  assert.equal(policy(1000000, 86400), "1,000,000 requests per day");
  assert.equal(policy(50, 1, 100), "50 requests per second, burst 100");
  assert.equal(policy(50, 60, 50), "50 requests per minute");
  assert.equal(policy(5, null), "5 requests");
  assert.deepEqual([90, 120, 3600, 7200, 604800].map(windowName), ["90 s", "2 minutes", "hour", "2 hours", "7 days"]);
});

test("numbers and times are short", () => {
  assert.deepEqual([0.84, 1, 12.34, 99.96, 204.4, 1204, null].map(measuredMs), ["0.8", "1.0", "12.3", "100.0", "204", "1,204", "–"]);
  assert.deepEqual([3, 2.5, 0.25, 1204, null].map(reportedMs), ["3", "2.5", "0.3", "1,204", "–"]);
  assert.deepEqual([0, 850, 1000, 5900, 59_990, 60_000, 80_000].map(duration), ["0 s", "850 ms", "1 s", "5.9 s", "1 min", "1 min", "1 min 20 s"]);
  assert.deepEqual([3_599_999, 3_600_000, 53_521_000, 2_592_000_000].map(duration), ["1 h", "1 h", "14 h 52 min", "720 h"]);
  assert.deepEqual([0, 999, 1000, 5940, 5941, 2_592_000, 3_600_000].map(shortDuration), ["0 s", "999 s", "17 min", "99 min", "2 h", "720 h", "1,000 h"]);
  assert.deepEqual([1, 1400, 59_999, 60_000, 61_500, 53_521_000].map(countdown), ["0.1 s", "1.4 s", "60.0 s", "1:00 min", "1:02 min", "14:53 h"]);
  assert.equal(pluralize(1, "request"), "1 request");
  assert.equal(number(1234567), "1,234,567");
});
