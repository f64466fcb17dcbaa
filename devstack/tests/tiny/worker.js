// Forwards to ORIGIN. `/redis/COMMAND/…` calls the bridge; `/_sluicegate/health` returns the bindings.
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/_sluicegate/health") return Response.json(env);
    if (url.pathname.startsWith("/redis/")) {
      const headers = { authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` };
      return fetch(env.UPSTASH_REDIS_REST_URL + url.pathname.slice("/redis".length), { method: request.method, headers });
    }
    console.log(`forwarding ${url.pathname}`);
    const { method, headers, body } = request;
    return fetch(env.ORIGIN + url.pathname + url.search, { method, headers, body, redirect: "manual" });
  },
};
