// Parsing a response, and the prediction for the next request.

import assert from "node:assert/strict";
import { test } from "node:test";
import { capacity, parseProblem, parseResponse, parseRetryAfter, retryAfterMs, serverTimingMetric, tightestLimit } from "../page/response.js";
import { latestDecision, predictNext } from "../page/next-request.js";

const POLICY = { name: "burst", quota: 20, unit: null, window: 10, burst: null, shadow: false, text: "" };
const parsers = {
  policy: () => [POLICY],
  limits: () => [{ name: "burst", remaining: 3, reset: 9, text: "" }],
};
const fails = () => {
  throw new Error("RateLimit: an item has no r");
};

test("a limit gets the policy of its name", () => {
  const headers = new Headers({ RateLimit: "x", "RateLimit-Policy": "y", "Server-Timing": 'limiter;dur=1.5;desc="unjudged"' });
  const response = parseResponse({ status: 200, headers }, parsers, 0);
  assert.equal(response.outcome, "allowed");
  assert.deepEqual(response.limits, [{ name: "burst", remaining: 3, reset: 9, text: "", policy: POLICY }]);
  assert.equal(response.limiterMs, 1.5);
  assert.equal(response.limiterNote, "unjudged");
  assert.equal(response.headerError, null);
});

test("a response without the headers has no limits and no error", () => {
  const response = parseResponse({ status: 404, headers: new Headers() }, { policy: fails, limits: fails }, 0);
  assert.deepEqual(
    { outcome: response.outcome, limits: response.limits, policies: response.policies, headerError: response.headerError, retryAfter: response.retryAfter, limiterMs: response.limiterMs },
    { outcome: "allowed", limits: [], policies: [], headerError: null, retryAfter: null, limiterMs: null },
  );
});

test("an invalid header is reported and the rest is kept", () => {
  const headers = new Headers({ RateLimit: "x", "RateLimit-Policy": "y", "Retry-After": "2", "Server-Timing": 'limiter;dur=1;desc="refused"' });
  const response = parseResponse({ status: 429, headers }, { ...parsers, limits: fails }, 0);
  assert.equal(response.headerError, "RateLimit: an item has no r");
  assert.deepEqual([response.outcome, response.retryAfter, response.policies.length, response.limits.length], ["refused", 2, 1, 0]);
});

test("the outcome follows from status and limiter note", () => {
  const outcome = (status, timing = "limiter;dur=1") =>
    parseResponse({ status, headers: new Headers({ "Server-Timing": timing }) }, parsers, 0).outcome;
  assert.deepEqual([200, 204, 302, 404, 0].map((status) => outcome(status)), Array(5).fill("allowed"));
  assert.equal(outcome(429, 'db;dur=2, limiter;dur=1;desc="refused"'), "refused");
  assert.deepEqual([401, 403].map((status) => outcome(status, 'limiter;dur=1;desc="refused"')), ["refused", "refused"]);
  for (const status of [401, 429]) assert.equal(outcome(status), "allowed", `a ${status} of the origin is not a refusal`);
  assert.equal(outcome(503, 'limiter;dur=1;desc="refused"'), "failed");
  assert.deepEqual([500, 502, 503].map((status) => outcome(status)), Array(3).fill("failed"));
});

test("Retry-After is seconds or a date", () => {
  const now = Date.parse("Mon, 23 Nov 2026 12:00:00 GMT");
  assert.equal(parseRetryAfter(null, now), null);
  assert.equal(parseRetryAfter("7", now), 7);
  assert.equal(parseRetryAfter("Mon, 23 Nov 2026 12:00:05 GMT", now), 5);
  assert.equal(parseRetryAfter("Mon, 23 Nov 2026 11:00:00 GMT", now), 0);
  assert.equal(parseRetryAfter("soon", now), null);
});

test("the limiter's time is found among other metrics", () => {
  const timing = (value) => serverTimingMetric(value, "limiter");
  assert.deepEqual(timing('cache;desc="hit", limiter;desc="x";dur=2.25, origin;dur=9'), { dur: 2.25, desc: "x" });
  assert.deepEqual(timing("limiter;dur=0"), { dur: 0, desc: null });
  for (const value of [null, "", "origin;dur=9", "limiter", "limiter;dur=x"]) assert.deepEqual(timing(value), { dur: null, desc: null });
});

test("a problem has the refusing limits and the exact retry time", () => {
  const type = "application/problem+json; charset=utf-8";
  const nothing = { detail: null, violated: null, retryAfterMs: null };
  const body = '{"detail":"over the limit","violated-policies":["burst","day"],"retry-after-ms":480}';
  assert.deepEqual(parseProblem(type, body), { detail: "over the limit", violated: ["burst", "day"], retryAfterMs: 480 });
  assert.deepEqual(parseProblem(type, "{}"), nothing);
  assert.deepEqual(parseProblem(type, '{"detail":1,"violated-policies":[1],"retry-after-ms":"1"}'), nothing);
  for (const text of ["", "no JSON", "null"]) assert.equal(parseProblem(type, text), null);
  assert.equal(parseProblem("application/json", body), null);
  assert.equal(parseProblem(null, body), null);
});

test("the exact retry time takes precedence over Retry-After", () => {
  assert.equal(retryAfterMs({ problem: { retryAfterMs: 480 }, retryAfter: 1 }), 480);
  assert.equal(retryAfterMs({ problem: { retryAfterMs: null }, retryAfter: 1 }), 1000);
  assert.equal(retryAfterMs({ problem: null, retryAfter: null }), null);
});

test("the tightest limit has the smallest remaining share", () => {
  const limits = [
    { name: "day", remaining: 100, policy: { quota: 1000, burst: null } },
    { name: "burst", remaining: 15, policy: { quota: 20, burst: 200 } },
  ];
  assert.equal(tightestLimit(limits).name, "burst");
  assert.equal(tightestLimit([]), null);
  assert.equal(capacity(limits[1].policy), 200);
  assert.equal(capacity(null), null);
});

test("the latest response predicts the next request", () => {
  const refused = { outcome: "refused", at: 1000, retryAfter: 2, problem: null, limits: [] };
  assert.deepEqual(predictNext(null, 0), { state: "unknown", ms: null });
  assert.deepEqual(predictNext(refused, 1500), { state: "wait", ms: 1500 });
  assert.deepEqual(predictNext(refused, 3000), { state: "ready", ms: 0 });
  assert.deepEqual(predictNext({ ...refused, retryAfter: null }, 1500), { state: "never", ms: null });
  const allowed = (...left) => ({ outcome: "allowed", at: 0, limits: left.map((remaining) => ({ remaining })) });
  assert.equal(predictNext(allowed(3, 1), 0).state, "open");
  assert.equal(predictNext(allowed(3, 0), 0).state, "exhausted");
  assert.equal(predictNext(allowed(), 0).state, "unknown");
  assert.equal(predictNext({ outcome: "failed", limits: [] }, 0).state, "unknown");
  const watched = { outcome: "allowed", at: 0, limits: [{ remaining: 0, policy: { ...POLICY, shadow: true } }] };
  assert.equal(predictNext(watched, 0).state, "open", "a limit in shadow mode refuses nothing");
});

test("a refusal outweighs responses that were in flight", () => {
  const refused = { outcome: "refused", sentAt: 10, at: 20 };
  const before = { outcome: "allowed", sentAt: 5, at: 30 };
  const after = { outcome: "allowed", sentAt: 25, at: 35 };
  const again = { outcome: "refused", sentAt: 12, at: 22 };
  assert.equal(latestDecision(null, before), before);
  assert.equal(latestDecision(refused, before), refused);
  assert.equal(latestDecision(refused, after), after);
  assert.equal(latestDecision(refused, again), again);
  assert.equal(latestDecision(before, after), after);
});
