// The bindings of the Worker, as `wrangler types` would write them.

declare module "cloudflare:workers" {
  export const env: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string; SLUICEGATE: object };
}
