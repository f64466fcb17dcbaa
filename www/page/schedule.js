// When the requests of a run are due. Pure: no clock, no timers.

export const MAX_REQUESTS = 500;
export const MAX_RATE = 200;
export const MIN_RATE = 0.1;

/** What the form says, as a schedule; `rate` is in requests a second, or null for all at once. */
export function newSchedule(count, rate) {
  if (!Number.isInteger(count) || count < 1 || count > MAX_REQUESTS) {
    throw new RangeError(`requests: expected a whole number from 1 to ${MAX_REQUESTS}, found ${count}`);
  }
  if (rate !== null && !(rate >= MIN_RATE && rate <= MAX_RATE)) {
    throw new RangeError(`rate: expected ${MIN_RATE} to ${MAX_RATE} requests a second, found ${rate}`);
  }
  return Object.freeze({ count, rate });
}

/** Milliseconds after the start at which the request with this index (from 0) is due. */
export function dueAt({ rate }, index) {
  return rate === null ? 0 : (index * 1000) / rate;
}

/** Milliseconds from the first request to the last. */
export function durationMs(schedule) {
  return dueAt(schedule, schedule.count - 1);
}

/**
 * How many requests may wait for a response at a time. A browser opens six connections to a host over
 * HTTP/1.1 and queues the rest: what waited in that queue would be measured as the gate's time.
 */
export function maxConcurrent(protocol) {
  return /^h[23]/.test(protocol ?? "") ? MAX_REQUESTS : 6;
}
