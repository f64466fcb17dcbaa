// Pages of other origins in a headless browser, against a Worker with `cors`. The page at APP is listed with credentials,
// the one at STRANGER is not. The Worker has a limit of 2 a day on /headers, DELETE /headers and /keyed need an API
// key, and /denied denies everybody.
//
//   SLUICEGATE_URL=http://127.0.0.1:8787/ APP=http://127.0.0.1:9001 STRANGER=http://127.0.0.1:9002 \
//     node --test www/tests/cors.e2e.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { url, visit } from "./browser.mjs";

const { APP, STRANGER } = process.env;
const HEADERS = ["RateLimit", "RateLimit-Policy", "Retry-After", "Retry-After-Ms", "Server-Timing", "X-Origin-Request", "X-Total"];

/** The address of a response of the origin with these headers. The origin must let the page read it, as any other would. */
function address(path, headers = {}) {
  const target = new URL(path, url);
  const cors = { "Access-Control-Allow-Origin": APP, "Access-Control-Allow-Credentials": "true" };
  for (const [name, value] of Object.entries({ ...cors, ...headers })) target.searchParams.append(name, value);
  return String(target);
}

/** Fetches from the page: what a script can read, or the name of the error. */
function read(page, target, init = {}) {
  return page.evaluate(
    async ([target, init, names]) => {
      try {
        const response = await fetch(target, init);
        const headers = Object.fromEntries(names.map((name) => [name, response.headers.get(name)]));
        return { status: response.status, headers, body: await response.text() };
      } catch (error) {
        return { error: error.name };
      }
    },
    [target, init, HEADERS],
  );
}

/** Fails unless the response is a refusal of ours of this kind. */
function assertProblem(response, status, kind) {
  assert.equal(response.status, status, JSON.stringify(response));
  assert.match(response.headers["Server-Timing"], status === 502 ? /^limiter;dur=\d+$/ : /^limiter;dur=\d+;desc="refused"$/);
  const problem = JSON.parse(response.body);
  assert.equal(problem.type.split(/[#:]/).at(-1), kind);
  return problem;
}

test("a page reads the status, the wait and the problem of a 429", async () => {
  await using app = await visit(`${APP}/hello`);
  const limited = address("/headers", { "Access-Control-Expose-Headers": "X-Total", "X-Total": "7" });
  for (const left of [1, 0]) {
    const allowed = await read(app.page, limited);
    assert.equal(allowed.status, 200, JSON.stringify(allowed));
    assert.match(allowed.headers.RateLimit, new RegExp(`^"day";r=${left};t=\\d+$`));
    assert.equal(allowed.headers["RateLimit-Policy"], '"day";q=2;w=86400');
    assert.deepEqual([allowed.headers["X-Total"], allowed.headers["X-Origin-Request"]], ["7", null], "the origin exposes one");
  }
  const refused = await read(app.page, limited);
  const problem = assertProblem(refused, 429, "quota-exceeded");
  assert.deepEqual(problem["violated-policies"], ["day"]);
  assert.equal(refused.headers["Retry-After-Ms"], String(problem["retry-after-ms"]));
  assert.equal(refused.headers["Retry-After"], String(Math.ceil(problem["retry-after-ms"] / 1000)));
  assert.match(refused.headers.RateLimit, /^"day";r=0;t=\d+$/);

  // The quota stays used up, and the request below needs a preflight: only its refusal can be read.
  const init = { method: "PUT", headers: { "X-Custom": "1", "Content-Type": "application/json" }, body: "{}" };
  const preflighted = address("/headers", { "Access-Control-Allow-Methods": "PUT", "Access-Control-Allow-Headers": "x-custom, content-type" });
  assertProblem(await read(app.page, preflighted, init), 429, "quota-exceeded");
  assertProblem(await read(app.page, limited, { credentials: "include" }), 429, "quota-exceeded");
});

test("a page reads the other refusals, too", async () => {
  await using app = await visit(`${APP}/hello`);
  assertProblem(await read(app.page, address("/keyed")), 401, "key-required");
  const keyed = address("/headers", { "Access-Control-Allow-Methods": "DELETE", "Access-Control-Allow-Headers": "authorization" });
  const init = { method: "DELETE", headers: { Authorization: "Bearer sgk_acme_0" } };
  assertProblem(await read(app.page, keyed, init), 401, "unknown-key");
  assertProblem(await read(app.page, address("/denied")), 403, "address-denied");
  assertProblem(await read(app.page, address("/reset?after=0")), 502, "blank");
});

test("a page of another origin reads nothing", async () => {
  await using stranger = await visit(`${STRANGER}/hello`);
  assert.deepEqual(await read(stranger.page, address("/headers")), { error: "TypeError" });
  assert.deepEqual(await read(stranger.page, address("/keyed")), { error: "TypeError" });
  assert.deepEqual(await read(stranger.page, address("/keyed"), { method: "PUT" }), { error: "TypeError" });
});
