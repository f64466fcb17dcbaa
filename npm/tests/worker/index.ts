// A small Worker that uses the library with Hono, as docs/library.md shows it. The tests run it in workerd.

import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { sluicegate, type Check, type Verdict } from "sluicegate";

// One gate for each isolate: it remembers refusals, tenants and failures of Redis.
const gate = await sluicegate(env);

const app = new Hono<{ Variables: { verdict: Verdict } }>();

// What the check API does, for comparison.
app.post("/check", async (c) => {
  const verdict = await gate.check(await c.req.json<Check>());
  if (!verdict.allowed) return verdict.response();
  const { allowed, decidedBy, retryMs, limits } = verdict;
  return c.json({ allowed, decidedBy, retryMs, limits }, 200, Object.fromEntries(verdict.headers));
});

app.get("/whoami", async (c) => {
  const key = c.req.header("authorization")?.replace(/^Bearer /, "") ?? "";
  return c.json(await gate.authenticate(key, c.req.header("cf-connecting-ip")));
});

app.use("/api/*", gate.middleware({
  identify: (c) => ({ subject: c.req.header("x-subject") ?? "nobody", plan: "streams", cost: 10 }),
  settle: (c) => Number(c.req.query("cost")),
}));

app.get("/api/hello", (c) => c.text(`hello, ${c.get("verdict").limits[0]?.remaining} left`));

// Passes on the response of another server.
app.get("/api/pass", (c) => fetch(c.req.header("x-url") ?? ""));

// Sends a piece every 20 ms, for as long as the client reads.
app.get("/api/stream", () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const send = () => writer.write(new TextEncoder().encode("piece")).catch(() => clearInterval(timer));
  const timer = setInterval(send, 20);
  return new Response(readable);
});

export default app;
