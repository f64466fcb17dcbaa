// What the console computes without a page: days, texts, times, fragments, and the request to explain.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readRequest } from "../console/explain-request.js";
import { fillDays, scale, summarize } from "../console/history-data.js";
import { describeLimit } from "../console/limit-text.js";
import { levelOf } from "../console/meter.js";
import { fragment, parseFragment } from "../console/router.js";
import { fieldToTimestamp, timeOfDay, timestampToField, utc } from "../console/utc.js";

test("days without usage are filled in, oldest first", () => {
  const days = fillDays({ today: { day: "2026-03-01", units: 5 }, history: [{ day: "2026-02-28", units: 7 }, { day: "2025-12-01", units: 2 }] });
  assert.equal(days.length, 91);
  assert.deepEqual([days[0], days[1], days.at(-2), days.at(-1)], [
    { day: "2025-12-01", units: 2 },
    { day: "2025-12-02", units: 0 },
    { day: "2026-02-28", units: 7 },
    { day: "2026-03-01", units: 5 },
  ]);
  assert.deepEqual(summarize(days), { total: 9, mean: 0, peak: { day: "2026-02-28", units: 7 } });
  assert.equal(summarize(fillDays({ today: { day: "2026-03-01", units: 5 }, history: [] })).peak, null);
});

test("a scale has at most five round values and covers the largest", () => {
  for (const [most, expected] of [
    [0, [0, 1]],
    [1, [0, 1]],
    [7, [0, 2, 4, 6, 8]],
    [10, [0, 5, 10]],
    [100, [0, 25, 50, 75, 100]],
    [42_011, [0, 20_000, 40_000, 60_000]],
    [1_000_000, [0, 250_000, 500_000, 750_000, 1_000_000]],
  ]) assert.deepEqual(scale(most), expected, `${most}`);
});

test("a limit is described in words", () => {
  const limit = (changes) => describeLimit({ algorithm: "token_bucket", limit: 10, window: "1s", burst: 10, lease: null, counts: "cost", by: null, ...changes });
  assert.equal(limit({}), "10 per second");
  assert.equal(limit({ burst: 50 }), "10 per second, burst 50");
  assert.deepEqual(["10s", "1m", "24h", "1d", "90d", "250ms"].map((window) => limit({ window })), ["10 per 10 s", "10 per minute", "10 per day", "10 per day", "10 per 90 days", "10 per 250ms"]);
  assert.equal(limit({ algorithm: "fixed_window", limit: 1000000, window: "month", burst: null, counts: "requests" }), "1,000,000 per month, counts requests");
  assert.equal(limit({ algorithm: "concurrency", limit: 5, window: null, burst: null, lease: "30s", counts: "requests" }), "5 in flight, lease 30s");
  assert.equal(limit({ by: "header:x-user" }), "10 per second, for each header:x-user");
  assert.equal(limit({ by: "everyone" }), "10 per second, for everyone");
});

test("80 % of a limit is near, and all of it is full", () => {
  assert.deepEqual([0, 0.79, 0.8, 0.99, 1, 1.2].map(levelOf), ["low", "low", "near", "near", "full", "full"]);
});

test("a field for a time is in UTC", () => {
  assert.equal(fieldToTimestamp("2026-12-01T00:00"), "2026-12-01T00:00:00Z");
  assert.equal(fieldToTimestamp("2026-12-01T00:00:30"), "2026-12-01T00:00:30Z");
  assert.equal(fieldToTimestamp(""), null);
  assert.equal(timestampToField("2026-12-01T00:00:00Z"), "2026-12-01T00:00");
  assert.deepEqual([timestampToField(undefined), timestampToField(null)], ["", ""]);
  assert.deepEqual([utc("2026-12-01T00:00:00.123Z"), utc(null), utc(undefined, "–")], ["2026-12-01 00:00", "never", "–"]);
  assert.equal(timeOfDay(Date.UTC(2026, 10, 27, 9, 30, 5)), "09:30:05");
});

test("a fragment names a section and an item", () => {
  assert.deepEqual(parseFragment("#usage/acme.io"), { section: "usage", item: "acme.io" });
  assert.deepEqual(parseFragment(fragment("tenants", "a/b %")), { section: "tenants", item: "a/b %" });
  assert.deepEqual(parseFragment("#live"), { section: "live", item: null });
  assert.deepEqual(parseFragment("#live/"), { section: "live", item: null });
  assert.deepEqual(parseFragment("#tenants/%"), { section: "tenants", item: null });
  assert.deepEqual(parseFragment(""), { section: "", item: null });
});

test("a request to explain has only what was typed in", () => {
  const typed = { method: "POST", path: " /v1/chat?x=1 ", headers: "", address: "", country: "", asn: "", body: "" };
  assert.deepEqual(readRequest(typed).request, { method: "POST", path: "/v1/chat?x=1" });
  const full = { ...typed, headers: "X-API-Key: sgk_a_b\n\n content-type:application/json", address: " 203.0.113.7", country: "de", asn: "64500", body: '{"a":1}' };
  assert.deepEqual(readRequest(full).request, {
    method: "POST",
    path: "/v1/chat?x=1",
    headers: { "X-API-Key": "sgk_a_b", "content-type": "application/json" },
    address: "203.0.113.7",
    country: "DE",
    asn: 64500,
    body: '{"a":1}',
  });
  const wrong = (changes) => readRequest({ ...typed, ...changes });
  assert.deepEqual([wrong({ path: "v1" }).field, wrong({ path: "v1" }).problem], ["path", "Path: begin with a slash."]);
  assert.equal(wrong({ headers: "nonsense" }).problem, "Headers: expected “Name: value”, found “nonsense”.");
  assert.equal(wrong({ headers: "A: 1\nA: 2" }).problem, "Headers: A is there twice.");
});
