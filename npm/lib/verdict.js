// The verdict on a request.

/** Returns what was charged for a verdict: what a settlement and a release need. */
export let chargeOf;

/** The verdict on a request. What it says comes from the core; nothing is decided here. */
export class Verdict {
  #charge;
  #fields;
  #problem;

  static {
    chargeOf = (verdict) => verdict.#charge;
  }

  /**
   * @param {object} decision What the core has decided.
   * @param {string} input The check, as JSON.
   */
  constructor({ allowed, decidedBy, outage, retryMs, limits, lease, fields, problem, id, at }, input) {
    Object.assign(this, { allowed, decidedBy, outage, retryMs, limits, lease });
    this.#fields = fields;
    this.#problem = problem;
    this.#charge = { input, id, at, isSettled: false };
  }

  /** The header fields `RateLimit-Policy` and `RateLimit`; after a refusal also `Retry-After` and `Retry-After-Ms`. */
  get headers() {
    return new Headers(this.#fields);
  }

  /** Makes the response to a refused request: that of the Worker, with the header fields. */
  response() {
    if (this.#problem === null) throw new TypeError("the request is allowed (respond to it yourself)");
    const { status, headers, body } = this.#problem;
    return new Response(body, { status, headers: [...headers, ...this.#fields] });
  }
}
