// When the requests of a run are due. Pure: no clock, no timers.

export const MAX_REQUESTS = 500;
export const MAX_RATE = 200;
export const MIN_RATE = 0.1;

/** Returns a schedule of `count` requests. `rate` is in requests per second, or null to send all at once. */
export function newSchedule(count, rate) {
  if (!Number.isInteger(count) || count < 1 || count > MAX_REQUESTS) {
    throw new RangeError(`requests: expected a whole number from 1 to ${MAX_REQUESTS}, found ${count}`);
  }
  if (rate !== null && !(rate >= MIN_RATE && rate <= MAX_RATE)) {
    throw new RangeError(`rate: expected ${MIN_RATE} to ${MAX_RATE} requests per second, found ${rate}`);
  }
  return Object.freeze({ count, rate });
}

/** Returns when the request with this index (from 0) is due, in milliseconds after the start. */
export function dueAt({ rate }, index) {
  return rate === null ? 0 : (index * 1000) / rate;
}

/** Returns the milliseconds from the first request to the last. */
export function durationMs(schedule) {
  return dueAt(schedule, schedule.count - 1);
}

/**
 * Returns how many requests may be in flight at a time. Over HTTP/1.1 a browser opens six connections to a host and
 * queues the other requests. The time in that queue would be counted as response time.
 */
export function maxConcurrent(protocol) {
  return /^h[23]/.test(protocol ?? "") ? MAX_REQUESTS : 6;
}
