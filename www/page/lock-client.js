// One tab's hold on a lock, as its holder knows it. The API, the clock and the pause come from outside.

/**
 * The phases of a holder:
 *
 * - "none": it does not hold the lock
 * - "waiting": somebody else holds it; this tab tries again and again
 * - "held": it holds the lock until `endsAt`, by its own clock
 * - "over": its lease has ended, or it was told that it lost the lock. It may not know that yet: it still has a token
 */
export class LockClient {
  phase = "none";
  /** The fencing token of the last time this tab held the lock, or null. It is kept when the lock is gone. */
  token = null;
  endsAt = 0;
  #call;
  #owner;
  #now;
  #pause;
  #onChange;

  /** `pause(ms, signal)` resolves after that time or earlier; `onChange(tone, text)` is called for everything that happens. */
  constructor({ call, owner, now, pause, onChange }) {
    this.#call = call;
    this.#owner = owner;
    this.#now = now;
    this.#pause = pause;
    this.#onChange = onChange;
  }

  /** Takes the lock, waiting for it as long as it must and `signal` allows. */
  async acquire(ttlMs, signal) {
    let waited = false;
    while (!signal.aborted) {
      const sent = this.#now();
      const response = await this.#call("POST", `${LOCK}/acquire`, { owner: this.#owner, ttl_ms: ttlMs });
      if (response.ok) return this.#hold(response.body.token, sent, ttlMs, `Acquired: token ${response.body.token}.`);
      if (response.problem !== "lock-held") {
        this.phase = "none";
        return this.#onChange("bad", response.message);
      }
      const freeIn = response.body["retry-after-ms"] ?? RETRY_MS;
      if (!waited) {
        waited = true;
        this.phase = "waiting";
        this.#onChange("note", `Somebody else holds the lock, for ${(freeIn / 1000).toFixed(1)} s more at the most. Waiting.`);
      }
      // Redis counts what is left in whole milliseconds.
      await this.#pause(Math.min(freeIn + 1, RETRY_MS), signal);
    }
    this.phase = "none";
    this.#onChange("note", "Stopped waiting.");
  }

  /** Begins the lease anew. */
  async renew(ttlMs) {
    const sent = this.#now();
    const response = await this.#call("POST", `${LOCK}/renew`, { owner: this.#owner, token: this.token, ttl_ms: ttlMs });
    if (response.ok) return this.#hold(this.token, sent, ttlMs, `Renewed: still token ${this.token}.`);
    if (response.problem === "lock-lost") this.phase = "over";
    this.#onChange("bad", `Not renewed. ${response.message}`);
  }

  /** Gives the lock back. The token stays: one can try to write with it. */
  async release() {
    const response = await this.#call("POST", `${LOCK}/release`, { owner: this.#owner, token: this.token });
    if (response.ok) {
      this.phase = "none";
      return this.#onChange("good", `Released token ${this.token}. The lock is free for the next one.`);
    }
    if (response.problem === "lock-lost") this.phase = "over";
    this.#onChange("bad", `Not released. ${response.message}`);
  }

  /** Writes the guarded value with the token, in time or late: that is for the fence to judge. */
  async write(text) {
    const late = this.phase !== "held";
    const response = await this.#call("PUT", VALUE, { token: this.token, value: text, ttl_ms: DAY_MS });
    if (response.ok) {
      const why = late ? " It came late, but nobody has taken the lock since, so it does no harm." : "";
      return this.#onChange("good", `Written with token ${this.token}.${why}`);
    }
    if (response.problem === "stale-token") {
      if (this.phase === "held") this.phase = "over";
      return this.#onChange("bad", `Refused: token ${this.token} is old, ${response.body.newest} is the newest. Nothing was written.`);
    }
    this.#onChange("bad", response.message);
  }

  /** What the guarded value is now: `{ text, message }`, text null where there is none. */
  async read() {
    const response = await this.#call("GET", VALUE);
    return response.ok ? { text: response.body.value, message: null } : { text: null, message: response.message };
  }

  /** Notes that the time of the lease has passed. */
  expire() {
    if (this.phase !== "held" || this.#now() < this.endsAt) return;
    this.phase = "over";
    this.#onChange("note", `The lease of token ${this.token} has ended. Whoever asks now gets the lock.`);
  }

  #hold(token, sent, ttlMs, text) {
    this.token = token;
    // The lease began in Redis after `sent`. The margin is for clocks whose rates differ, as in Redlock.
    this.endsAt = sent + ttlMs - Math.ceil(ttlMs / 100) - 2;
    this.phase = "held";
    this.#onChange("good", text);
  }
}

const LOCK = "/locks/demo";
const VALUE = `${LOCK}/values/note`;
// A holder may give the lock back early: do not sleep for the whole of its lease.
const RETRY_MS = 1_000;
// The demo leaves no value behind for long.
const DAY_MS = 86_400_000;
