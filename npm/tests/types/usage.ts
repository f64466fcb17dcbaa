// What the types of the library allow, and what they refuse. The compiler is the test: each line after
// `@ts-expect-error` must be an error.

import { Hono } from "hono";
import { ConfigError, InputError, RedisError, sluicegate, type Config, type Gate, type Verdict } from "sluicegate";

const config: Config = {
  default_plan: "free",
  on_outage: "local",
  plans: {
    free: { limits: [{ name: "burst", algorithm: "token_bucket", limit: 20, window: "10s", burst: 40 }] },
    pro: { limits: [{ name: "inflight", algorithm: "concurrency", limit: 5, lease: "30s" }] },
    calls: { limits: [{ name: "day", algorithm: "fixed_window", limit: 9, window: "day", counts: "requests", by: "address" }] },
  },
};

export async function checks(gate: Gate): Promise<number> {
  const verdict: Verdict = await gate.check({ subject: "user:7", plan: "pro", subjects: { address: "203.0.113.7" } });
  await gate.check({ tenant: "acme", cost: 3, peek: true, lease: "job-7" });
  // @ts-expect-error A check needs a subject or a tenant.
  await gate.check({ cost: 1 });
  // @ts-expect-error It has only one of them.
  await gate.check({ subject: "user:7", tenant: "acme" });
  // @ts-expect-error There is no such field.
  await gate.check({ subject: "user:7", colour: "red" });
  if (!verdict.allowed) return verdict.response().status;
  const [limit] = verdict.limits;
  const { settled }: { settled: boolean } = await gate.settle(verdict, 12);
  await gate.refund(verdict);
  await gate.release(verdict);
  // @ts-expect-error A verdict does not change.
  verdict.allowed = false;
  // @ts-expect-error Only Redis and its outage decide.
  if (verdict.decidedBy === "nobody") return 0;
  // @ts-expect-error There may be no limit, and a retry may never come.
  const wait: number = limit.retryMs;
  return settled ? (limit?.remaining ?? 0) : wait;
}

export async function hono(): Promise<Hono> {
  const gate = await sluicegate(process.env, config, { log: (line) => console.error(line.event) });
  const app = new Hono();
  app.use(gate.middleware({ identify: (c) => ({ subject: c.req.header("x-user") ?? "nobody" }) }));
  app.use(gate.middleware({ identify: async () => null, settle: (c) => (c.res.ok ? undefined : 0) }));
  // @ts-expect-error Who sends a request?
  app.use(gate.middleware({ settle: () => 1 }));
  return app;
}

export function fetchHandler(gate: Gate): (request: Request) => Promise<Response> {
  return (request) => gate.protect({ subject: "everybody" }, () => fetch(request), { settle: (response) => response.status });
}

export function reason(error: unknown): string {
  if (error instanceof ConfigError || error instanceof InputError) return error.path;
  return error instanceof RedisError ? error.message : "";
}

// @ts-expect-error An algorithm that does not exist.
export const wrong: Config = { default_plan: "p", plans: { p: { limits: [{ name: "a", algorithm: "leaky", limit: 1 }] } } };
declare const process: { env: Record<string, string | undefined> };
