// A client of one lock. The caller provides the API, the clock and the timer.

/**
 * A client of one lock. Its `phase` is one of:
 *
 * - "none": it does not hold the lock
 * - "waiting": another client holds the lock, and this one retries
 * - "held": it holds the lock until `endsAt`, by its own clock
 * - "expired": its lease has ended or the lock is lost. It still has its token
 */
export class LockClient {
  phase = "none";
  /** The fencing token of the latest acquisition, or null. It stays when the lock is released or lost. */
  token = null;
  endsAt = 0;
  #call;
  #owner;
  #now;
  #pause;
  #onChange;

  /** `pause(ms, signal)` resolves after that time or earlier. `onChange(tone, text)` is called for each event. */
  constructor({ call, owner, now, pause, onChange }) {
    this.#call = call;
    this.#owner = owner;
    this.#now = now;
    this.#pause = pause;
    this.#onChange = onChange;
  }

  /** Acquires the lock. Waits for it until `signal` aborts. */
  async acquire(ttlMs, signal) {
    let waited = false;
    while (!signal.aborted) {
      const sent = this.#now();
      const response = await this.#call("POST", `${LOCK}/acquire`, { owner: this.#owner, ttl_ms: ttlMs });
      if (response.ok) return this.#hold(response.body.token, sent, ttlMs, `Acquired with token ${response.body.token}.`);
      if (response.problem !== "lock-held") {
        this.phase = "none";
        return this.#onChange("bad", response.message);
      }
      const freeIn = response.body["retry-after-ms"] ?? RETRY_MS;
      if (!waited) {
        waited = true;
        this.phase = "waiting";
        this.#onChange("note", `Another client holds the lock for up to ${(freeIn / 1000).toFixed(1)} s more. Waiting.`);
      }
      // Redis reports the rest of a lease in whole milliseconds.
      await this.#pause(Math.min(freeIn + 1, RETRY_MS), signal);
    }
    this.phase = "none";
    this.#onChange("note", "Stopped waiting.");
  }

  /** Restarts the lease. */
  async renew(ttlMs) {
    const sent = this.#now();
    const response = await this.#call("POST", `${LOCK}/renew`, { owner: this.#owner, token: this.token, ttl_ms: ttlMs });
    if (response.ok) return this.#hold(this.token, sent, ttlMs, `Renewed. The token is still ${this.token}.`);
    if (response.problem === "lock-lost") this.phase = "expired";
    this.#onChange("bad", `Not renewed. ${response.message}`);
  }

  /** Releases the lock. The token stays, so that a late write can be tried. */
  async release() {
    const response = await this.#call("POST", `${LOCK}/release`, { owner: this.#owner, token: this.token });
    if (response.ok) {
      this.phase = "none";
      return this.#onChange("good", `Released. The lock is free.`);
    }
    if (response.problem === "lock-lost") this.phase = "expired";
    this.#onChange("bad", `Not released. ${response.message}`);
  }

  /** Writes the protected value with the token, even if the lease has ended. The fence in Redis decides. */
  async write(text) {
    const late = this.phase !== "held";
    const response = await this.#call("PUT", VALUE, { token: this.token, value: text, ttl_ms: DAY_MS });
    if (response.ok) {
      const note = late ? " The lock is no longer held, but nobody has acquired it since, so the write is safe." : "";
      return this.#onChange("good", `Written with token ${this.token}.${note}`);
    }
    if (response.problem === "stale-token") {
      if (this.phase === "held") this.phase = "expired";
      return this.#onChange("bad", `Write refused: token ${this.token} is stale, the newest is ${response.body.newest}.`);
    }
    this.#onChange("bad", response.message);
  }

  /** Reads the protected value. Returns `{ text, message }`; text is null if there is none. */
  async read() {
    const response = await this.#call("GET", VALUE);
    return response.ok ? { text: response.body.value, message: null } : { text: null, message: response.message };
  }

  /** Ends the phase "held" if the lease has expired. */
  expire() {
    if (this.phase !== "held" || this.#now() < this.endsAt) return;
    this.phase = "expired";
    this.#onChange("note", `The lease with token ${this.token} has expired. Another client can acquire the lock.`);
  }

  #hold(token, sent, ttlMs, text) {
    this.token = token;
    // The lease in Redis started after `sent`. The margin allows for clock drift, as in Redlock.
    this.endsAt = sent + ttlMs - Math.ceil(ttlMs / 100) - 2;
    this.phase = "held";
    this.#onChange("good", text);
  }
}

const LOCK = "/locks/demo";
const VALUE = `${LOCK}/values/note`;
// The longest pause between two tries, because a holder may release the lock before its lease ends.
const RETRY_MS = 1_000;
// How long the value of the demo is stored.
const DAY_MS = 86_400_000;
