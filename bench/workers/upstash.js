// npm @upstash/ratelimit as in its documentation: one limiter per quota, one check of each per request, in order, until
// one refuses. Everything that is optional is disabled, except what UPSTASH.options enables.

import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";

import { forward, withLimits } from "./proxy.js";

let limiters;

function open(env) {
  const redis = new Redis({
    url: env.UPSTASH_REDIS_REST_URL,
    token: env.UPSTASH_REDIS_REST_TOKEN,
    enableTelemetry: false,
    retry: false,
  });
  const { quotas, options } = env.UPSTASH;
  return quotas.map(({ units, window_ms }) => ({
    quota: units,
    window: Math.ceil(window_ms / 1000),
    ratelimit: new Ratelimit({
      redis,
      limiter: Ratelimit.slidingWindow(units, `${window_ms} ms`),
      prefix: `@upstash/ratelimit/${window_ms}`,
      analytics: false,
      timeout: 0,
      ...options,
    }),
  }));
}

export default {
  async fetch(request, env) {
    const started = Date.now();
    limiters ??= open(env);
    const client = request.headers.get("authorization") ?? request.headers.get("cf-connecting-ip");
    let tightest;
    for (const { quota, window, ratelimit } of limiters) {
      const { success, remaining, reset } = await ratelimit.limit(client);
      if (!success) return new Response(null, { status: 429, headers: { "server-timing": timing(started) } });
      if (!(remaining >= tightest?.remaining)) tightest = { quota, window, remaining, reset };
    }
    const decided = timing(started);
    const response = await forward(request, env);
    const seconds = Math.max(0, Math.ceil((tightest.reset - Date.now()) / 1000));
    const limited = withLimits(response, { ...tightest, reset: seconds });
    limited.headers.append("Server-Timing", decided);
    return limited;
  },
};

// Returns the milliseconds since `started` as our Worker reports them. The clock of a Worker stands still between I/O.
function timing(started) {
  return `limiter;dur=${Date.now() - started}`;
}
