// The limiter as a library: what the entries for Node.js and for Workers export. The core decides, in wasm.

import { Gate as Core } from "../dist/gate.js";
import { AuthenticationError, ConfigError, InputError, RedisError } from "./errors.js";
import { keepAlive } from "./glue.js";
import { middleware } from "./middleware.js";
import { protect } from "./protect.js";
import { Verdict, chargeOf } from "./verdict.js";

export { AuthenticationError, ConfigError, InputError, RedisError, Verdict };

/**
 * Makes a gate. Make one for each isolate or process, not for each request: it remembers refusals and failures of Redis.
 *
 * @param {Record<string, unknown>} env Has `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`.
 * @param {object | string} [config] The configuration, of the form of the Worker's; by default `env.SLUICEGATE`.
 * @param {{ log?: (line: object) => void }} [options] `log` takes the lines about failures.
 */
export async function sluicegate(env, config = env.SLUICEGATE, { log = warn } = {}) {
  if (config === undefined) {
    throw new ConfigError("SLUICEGATE: is not set (or give the configuration as an argument)", "SLUICEGATE");
  }
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = env;
  return new Gate(new Core(url, token, text, (line) => log(JSON.parse(line))), log);
}

/** A limiter over one Redis, with one configuration. */
class Gate {
  #core;
  #log;

  constructor(core, log) {
    this.#core = core;
    this.#log = log;
  }

  /** Checks a request and charges it to all limits, or to none. Fails only if the check is invalid. */
  async check(check) {
    const input = JSON.stringify(check ?? null);
    return new Verdict(JSON.parse(await kept(this.#core.check(input))), input);
  }

  /** Corrects what a request was charged to its real cost, once. */
  async settle(verdict, cost) {
    const charge = chargeOf(verdict);
    const isInRedis = verdict.decidedBy === "redis" || verdict.decidedBy === "prefetch";
    if (charge.isSettled || charge.id === null || !isInRedis) return { settled: false, limits: [] };
    charge.isSettled = true;
    try {
      return JSON.parse(await kept(this.#core.settle(charge.input, charge.id, charge.at, cost)));
    } catch (error) {
      // It may be tried again: Redis settles an id once.
      charge.isSettled = false;
      throw error;
    }
  }

  /** Gives back what a request was charged, once: a settlement at no cost. */
  refund(verdict) {
    return this.settle(verdict, 0);
  }

  /** Releases the lease of a request that has ended. Safe to repeat. If Redis fails, the lease expires by itself. */
  async release(verdict) {
    if (verdict.lease === null) return;
    await kept(this.#core.release(chargeOf(verdict).input, verdict.lease, verdict.decidedBy === "local"));
  }

  /** Resolves an API key to its tenant; `null` if the key is not valid. `address` is that of the client. */
  async authenticate(key, address) {
    return JSON.parse(await kept(this.#core.authenticate(key, address)));
  }

  /** Checks a request, and answers it with `respond` if it is allowed. */
  protect(check, respond, options = {}) {
    return protect(this, check, respond, options, this.#log);
  }

  /** Makes a middleware for Hono. */
  middleware(options) {
    return middleware(this, options);
  }
}

// The runtime must not stop a call to Redis in the middle because the client has left.
function kept(promise) {
  keepAlive(promise);
  return promise;
}

function warn(line) {
  console.warn(JSON.stringify(line));
}
