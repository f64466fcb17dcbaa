// npm @upstash/ratelimit as in its documentation, with everything disabled except one check per request.

import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";

import { forward, withLimits } from "./proxy.js";

const QUOTA = 1_000_000_000;
const WINDOW_SECONDS = 10;

let limiter;

export default {
  async fetch(request, env) {
    limiter ??= new Ratelimit({
      redis: new Redis({
        url: env.UPSTASH_REDIS_REST_URL,
        token: env.UPSTASH_REDIS_REST_TOKEN,
        enableTelemetry: false,
        retry: false,
      }),
      limiter: Ratelimit.slidingWindow(QUOTA, `${WINDOW_SECONDS} s`),
      ephemeralCache: false,
      analytics: false,
      timeout: 0,
    });
    const { success, remaining, reset } = await limiter.limit(request.headers.get("cf-connecting-ip"));
    if (!success) return new Response(null, { status: 429 });
    const response = await forward(request, env);
    const seconds = Math.max(0, Math.ceil((reset - Date.now()) / 1000));
    return withLimits(response, { quota: QUOTA, window: WINDOW_SECONDS, remaining, reset: seconds });
  },
};
