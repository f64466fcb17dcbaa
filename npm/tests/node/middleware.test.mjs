// The middleware for Hono, and what it shares with `protect`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Hono } from "hono";
import { cors } from "hono/cors";

import { config, gate, hour, inflight, subject } from "./support.mjs";

/** Makes an app on a gate; each of its routes is limited for the same subject. */
async function app(limits, { cost, settle, respond = (c) => c.text("hello") } = {}) {
  const limiter = await gate(config(limits));
  const someone = subject();
  const identify = (c) => c.req.path !== "/free" && { subject: someone, cost };
  const hono = new Hono();
  hono.use(cors({ origin: "https://page.example" }));
  hono.use(limiter.middleware({ identify, settle }));
  hono.get("*", respond);
  const look = async () => (await limiter.check({ subject: someone, peek: true })).limits[0].remaining;
  return { hono, look, limiter };
}

/** A request from a web page. */
const page = { headers: { origin: "https://page.example" } };

/** Waits until something is true that follows from the end of a response. */
async function eventually(holds) {
  while (!(await holds())) await new Promise(setImmediate);
}

test("an allowed response gets the headers, and keeps its own", async () => {
  const respond = (c) => c.text("hello", 201, { ratelimit: '"origin";r=7', "x-own": "1" });
  const { hono } = await app([hour(2)], { respond });
  const response = await hono.request("/", page);
  assert.deepEqual([response.status, await response.text(), response.headers.get("x-own")], [201, "hello", "1"]);
  assert.match(response.headers.get("ratelimit"), /^"origin";r=7, "hour";r=1;t=\d+$/);
  assert.equal(response.headers.get("access-control-allow-origin"), "https://page.example");
});

test("a refused request does not reach the handler", async () => {
  let reached = 0;
  const { hono } = await app([hour(1)], { respond: (c) => c.text(String(++reached)) });
  await hono.request("/");
  const refused = await hono.request("/", page);
  assert.deepEqual([refused.status, refused.headers.get("content-type"), reached], [429, "application/problem+json", 1]);
  assert.match(refused.headers.get("ratelimit"), /^"hour";r=0;t=\d+$/);
  assert.equal(refused.headers.get("access-control-allow-origin"), "https://page.example", "pages can read it");
});

test("a request without a check is not limited", async () => {
  const { hono, look } = await app([hour(1)]);
  assert.equal((await hono.request("/free")).headers.get("ratelimit"), null);
  assert.equal(await look(), 1);
});

test("the handler sees the verdict", async () => {
  const { hono } = await app([hour(5)], { respond: (c) => c.json(c.get("verdict").limits[0].remaining) });
  assert.equal(await (await hono.request("/")).json(), 4);
});

test("the real cost is settled when the body has ended", async () => {
  const sent = { tokens: 0 };
  let write;
  const respond = () => new Response(new ReadableStream({ start: (controller) => { write = controller; } }));
  const { hono, look } = await app([hour(100)], { cost: 50, settle: () => sent.tokens, respond });
  const response = await hono.request("/");
  assert.equal(await look(), 50);
  const text = response.text();
  write.enqueue(new TextEncoder().encode("one two"));
  sent.tokens = 2;
  assert.equal(await look(), 50, "the body has not ended");
  write.close();
  assert.equal(await text, "one two");
  await eventually(async () => (await look()) === 98);
});

test("nothing is settled without a cost", async () => {
  const settled = withResolvers();
  const { hono, look } = await app([hour(100)], { cost: 50, settle: () => void settled.resolve() });
  await (await hono.request("/")).text();
  await settled.promise;
  assert.equal(await look(), 50);
});

function withResolvers() {
  let resolve;
  const promise = new Promise((end) => { resolve = end; });
  return { promise, resolve };
}

test("a lease ends with the body, with a client that leaves, and with an error", async () => {
  const respond = (c) => {
    if (c.req.path === "/error") throw new Error("broken");
    return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
  };
  const { hono, look } = await app([inflight(1)], { respond });
  const streaming = await hono.request("/");
  assert.equal(await look(), 0);
  assert.equal((await hono.request("/")).status, 429);
  await streaming.body.cancel();
  await eventually(async () => (await look()) === 1);
  hono.onError((_, c) => c.text("sorry", 500));
  const sorry = await hono.request("/error");
  assert.deepEqual([sorry.status, await sorry.text()], [500, "sorry"]);
  await eventually(async () => (await look()) === 1);
});

test("protect releases the lease of a handler that throws", async () => {
  const limiter = await gate(config([inflight(1)]));
  const check = { subject: subject() };
  const broken = limiter.protect(check, () => { throw new RangeError("broken"); });
  await assert.rejects(broken, RangeError);
  await eventually(async () => (await limiter.check({ ...check, peek: true })).limits[0].remaining === 1);
  const response = await limiter.protect(check, (verdict) => Response.json(verdict.lease));
  assert.equal(typeof (await response.json()), "string");
});

test("a settlement that fails is logged, and the lease ends all the same", async () => {
  const settle = () => { throw new Error("no usage"); };
  const { hono, look, limiter } = await app([inflight(1), hour(9)], { settle });
  await (await hono.request("/")).text();
  await eventually(async () => (await look()) === 1);
  assert.deepEqual(limiter.log, [{ event: "failure", what: "settlement", error: "Error: no usage", count: 1 }]);
});
