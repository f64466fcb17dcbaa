// What the tests need: gates on the real Redis and bridge that the Rust test has started, and a way to break the network.

import { createServer } from "node:http";
import { randomUUID } from "node:crypto";

import { sluicegate } from "sluicegate";

export const env = {
  UPSTASH_REDIS_REST_URL: process.env.REST_URL,
  UPSTASH_REDIS_REST_TOKEN: process.env.REST_TOKEN,
};

/** A configuration whose plan `p` has these limits. Redis decides about every request, and a slow machine is no outage. */
export function config(limits, more = {}) {
  return { default_plan: "p", timeout: "30s", local_refusals: "0s", plans: { p: { limits } }, ...more };
}

export const hour = (limit, more = {}) => ({ name: "hour", algorithm: "fixed_window", limit, window: "365d", ...more });

export const inflight = (limit) => ({ name: "inflight", algorithm: "concurrency", limit, lease: "10m" });

/** A gate, and the lines of its log. */
export async function gate(config, url = env.UPSTASH_REDIS_REST_URL) {
  const log = [];
  const made = await sluicegate({ ...env, UPSTASH_REDIS_REST_URL: url }, config, { log: (line) => log.push(line) });
  return Object.assign(made, { log });
}

/** A subject that no other test has. */
export const subject = () => `user:${randomUUID()}`;

/** Stops the clock and the timers. `tick` moves them by milliseconds. Calls to Redis take their real time. */
export function clock(t) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
  return { tick: (milliseconds) => t.mock.timers.tick(milliseconds) };
}

/** Runs a command of Redis. */
export async function redis(...command) {
  const headers = { authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` };
  const response = await fetch(env.UPSTASH_REDIS_REST_URL, { method: "POST", headers, body: JSON.stringify(command) });
  const { result, error } = await response.json();
  if (error) throw new Error(error);
  return result;
}

/**
 * Starts a server between a gate and the bridge. `mode` says what it does with a call: `"pass"`, `"hang"`, `"cut"`, or
 * `"swallow"`, which passes the call on and never answers. `calls` has the commands that came, and `ended` says how many of
 * them were passed, cut or left.
 */
export async function network(t) {
  const state = { mode: "pass", calls: [], ended: 0, seen: [] };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { mode } = state;
    state.calls.push(JSON.parse(body));
    if (mode === "cut") request.socket.destroy();
    if (mode === "pass" || mode === "swallow") {
      const passed = await fetch(env.UPSTASH_REDIS_REST_URL, { method: "POST", headers: request.headers, body });
      const text = await passed.text();
      if (mode === "pass") response.writeHead(passed.status, { "content-type": "application/json" }).end(text);
    }
    state.ended += 1;
    for (const resolve of state.seen.splice(0)) resolve();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  state.url = `http://127.0.0.1:${server.address().port}`;
  /** Waits until a condition holds. It is looked at whenever a call has ended. */
  state.until = async (holds) => {
    for (;;) {
      // Before the look, so that no call ends unseen.
      const next = new Promise((resolve) => state.seen.push(resolve));
      if (await holds()) return;
      await next;
    }
  };
  return state;
}
