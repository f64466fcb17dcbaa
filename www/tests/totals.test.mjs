// The totals and medians of a run, and its summary.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runSummary } from "../page/format.js";
import { median, Totals } from "../page/totals.js";

test("totals count outcomes and medians skip missing times", () => {
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
