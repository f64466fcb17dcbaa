// When the requests of a run are due. Pure: no clock, no timers.

export const MOST_REQUESTS = 500;
export const FASTEST = 200;
export const SLOWEST = 0.1;

/** What the form says, as a plan; `rate` is in requests a second, or null for all at once. */
export function plan(count, rate) {
  if (!Number.isInteger(count) || count < 1 || count > MOST_REQUESTS) {
    throw new RangeError(`requests: expected a whole number from 1 to ${MOST_REQUESTS}, found ${count}`);
  }
  if (rate !== null && !(rate >= SLOWEST && rate <= FASTEST)) {
    throw new RangeError(`rate: expected ${SLOWEST} to ${FASTEST} requests a second, found ${rate}`);
  }
  return Object.freeze({ count, rate });
}

/** Milliseconds after the start at which the request with this index (from 0) is due. */
export function dueAt({ rate }, index) {
  return rate === null ? 0 : (index * 1000) / rate;
}

/** Milliseconds from the first request to the last. */
export function length(plan) {
  return dueAt(plan, plan.count - 1);
}

/**
 * How many requests may wait for an answer at a time. A browser opens six connections to a host over
 * HTTP/1.1 and queues the rest: what waited in that queue would be measured as the gate's time.
 */
export function lanes(protocol) {
  return /^h[23]/.test(protocol ?? "") ? MOST_REQUESTS : 6;
}
