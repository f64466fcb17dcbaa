// The minimum a limiter of this kind can do: one raw fetch that runs lua/check.lua. It has no timeout, no retry, and no
// handling of unexpected replies.

import { forward, withLimits } from "./proxy.js";

export default {
  async fetch(request, env) {
    const { head, tail, quota, window } = env.CHECK;
    const key = `sg:1:{ip:${request.headers.get("cf-connecting-ip")}}`;
    const reply = await fetch(env.UPSTASH_REDIS_REST_URL, {
      method: "POST",
      headers: { authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify([...head, key, Date.now(), ...tail]),
    });
    const { result, error } = await reply.json();
    if (error) throw new Error(error);
    const [allowed, remaining, , resetMs] = result;
    if (allowed !== 1) return new Response(null, { status: 429 });
    const response = await forward(request, env);
    return withLimits(response, { quota, window, remaining, reset: Math.ceil(resetMs / 1000) });
  },
};
