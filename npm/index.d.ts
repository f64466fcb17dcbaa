// The types of the library. docs/library.md explains each field.

/** The variables that a gate needs: the environment of a Worker, or `process.env`. */
export interface Environment {
  UPSTASH_REDIS_REST_URL?: string;
  UPSTASH_REDIS_REST_TOKEN?: string;
  /** The configuration, if it is not an argument. */
  SLUICEGATE?: unknown;
}

/** A limit of a plan. */
export interface LimitConfig {
  name: string;
  algorithm: "sliding_log" | "sliding_window" | "fixed_window" | "token_bucket" | "concurrency";
  limit: number;
  window?: string;
  burst?: number;
  lease?: string;
  counts?: "cost" | "requests";
  by?: string;
}

/** The part of the Worker's configuration that a gate uses. The rest is checked, and has no effect. */
export interface Config {
  plans: Record<string, { limits: LimitConfig[]; prefetch?: { units: number; hold: string } }>;
  default_plan: string;
  on_outage?: "open" | "closed" | "local";
  timeout?: string;
  local_refusals?: string;
  clock?: "edge" | "redis";
  scripts?: "auto" | "plain" | "key_locking";
  ipv6_prefix?: number;
  tenant_ttl?: string;
  tenant_cache?: number;
  usage?: boolean;
  [field: string]: unknown;
}

/** A line about a failure: of Redis, of a tenant's document, or of a settlement. */
export interface LogLine {
  event: string;
  error?: string;
  /** How many events the line stands for: what repeats is summarized every ten seconds. */
  count?: number;
  [member: string]: unknown;
}

export interface Options {
  /** Takes the lines about failures. By default they go to `console.warn`, as JSON. */
  log?: (line: LogLine) => void;
}

interface CheckOptions {
  /** The limits, instead of those of a plan. */
  limits?: LimitConfig[] | undefined;
  /** The name of the plan. By default the tenant's own, or `default_plan` for a subject. */
  plan?: string | undefined;
  /** What limits count by, for example `{ address: "203.0.113.7", "header:x-user": "ada" }`. */
  subjects?: Record<string, string> | undefined;
  /** In units; 1 by default. */
  cost?: number | undefined;
  /** Looks without charging. */
  peek?: boolean | undefined;
  /** The id of the lease, if you choose it: the same id again renews it. */
  lease?: string | undefined;
}

/** Whom a request is charged to, and how much: what `POST /_sluicegate/v1/check` takes. */
export type Check =
  | (CheckOptions & { subject: string; tenant?: undefined })
  | (CheckOptions & { tenant: string; subject?: undefined });

/** A limit after a verdict. */
export interface LimitState {
  readonly name: string;
  /** Units per window. */
  readonly limit: number;
  /** The largest cost that a next request can have now. */
  readonly remaining: number;
  /** When this limit admits the request: 0 now, null never. */
  readonly retryMs: number | null;
  /** Until the full quota is available again. */
  readonly resetMs: number;
}

/** Who decided; see docs/library.md. */
export type DecidedBy = "redis" | "prefetch" | "memory" | "local" | "outage" | "tenant";

/** The verdict on a request. */
export declare class Verdict {
  private constructor();
  readonly allowed: boolean;
  readonly decidedBy: DecidedBy;
  /** Why Redis did not decide; null if it did. */
  readonly outage: string | null;
  /** When the same request is allowed: 0 now, null never. */
  readonly retryMs: number | null;
  /** The limits in the order of the plan. Empty if no limiter gave a verdict. */
  readonly limits: readonly LimitState[];
  /** The lease that the request holds, if it holds one. */
  readonly lease: string | null;
  /** `RateLimit-Policy` and `RateLimit`; after a refusal also `Retry-After` and `Retry-After-Ms`. */
  readonly headers: Headers;
  /** Makes the response to a refused request. Throws if the request is allowed. */
  response(): Response;
}

/** What came of a settlement. */
export interface Settlement {
  /** False if the request was settled before, or not charged in Redis. */
  readonly settled: boolean;
  readonly limits: readonly { readonly name: string; readonly charged?: number; readonly givenBack?: number }[];
}

/** The tenant of an API key. */
export interface TenantInfo {
  readonly tenant: string;
  readonly plan: string;
  readonly status: "active" | "suspended";
}

/** What the middleware needs of Hono's context. Annotate the parameter of a callback to have all of it. */
export interface HonoContext {
  readonly req: {
    readonly raw: Request;
    readonly method: string;
    readonly path: string;
    readonly url: string;
    header(name: string): string | undefined;
    query(name: string): string | undefined;
  };
  readonly env: any;
  res: Response;
  get(name: string): any;
  set(name: string, value: unknown): void;
}

type MaybePromise<T> = T | Promise<T>;

export interface MiddlewareOptions<C> {
  /** Returns the check of a request, or nothing if the request is not limited. */
  identify: (context: C) => MaybePromise<Check | null | undefined | false>;
  /** Returns the real cost when the body of the response has ended, or nothing if the charge stays. */
  settle?: ((context: C) => MaybePromise<number | undefined>) | undefined;
}

export interface ProtectOptions {
  /** Returns the real cost when the body of the response has ended, or nothing if the charge stays. */
  settle?: ((response: Response) => MaybePromise<number | undefined>) | undefined;
  /** Aborts when the client has left: `request.signal`. */
  signal?: AbortSignal | undefined;
}

/** A limiter over one Redis, with one configuration. */
export interface Gate {
  /** Checks a request and charges it to all limits, or to none. Fails with `InputError` only. */
  check(check: Check): Promise<Verdict>;
  /** Corrects what a request was charged to its real cost, once. */
  settle(verdict: Verdict, cost: number): Promise<Settlement>;
  /** Gives back what a request was charged, once. */
  refund(verdict: Verdict): Promise<Settlement>;
  /** Releases the lease of a request that has ended. */
  release(verdict: Verdict): Promise<void>;
  /** Resolves an API key to its tenant; null if the key is not valid. `address` is that of the client. */
  authenticate(key: string, address?: string): Promise<TenantInfo | null>;
  /** Checks a request. Returns the refusal, or the response of `respond` with the rate limit headers. */
  protect(
    check: Check,
    respond: (verdict: Verdict) => MaybePromise<Response>,
    options?: ProtectOptions,
  ): Promise<Response>;
  /** Makes a middleware for Hono. `context.get("verdict")` is the verdict. */
  middleware<C extends HonoContext = HonoContext>(
    options: MiddlewareOptions<C>,
  ): (context: C, next: () => Promise<void>) => Promise<Response | void>;
}

/** Makes a gate. Make one for each isolate or process, not for each request. */
export declare function sluicegate(env: Environment, config?: Config | string, options?: Options): Promise<Gate>;

/** A variable or the configuration is invalid. */
export declare class ConfigError extends Error {
  readonly path: string;
}

/** A check is invalid: a mistake of the caller. */
export declare class InputError extends TypeError {
  readonly path: string;
}

/** An API key cannot be looked up: Redis has failed, or the client has tried too many unknown keys. */
export declare class AuthenticationError extends Error {}

/** Redis has failed to settle a request. */
export declare class RedisError extends Error {}
