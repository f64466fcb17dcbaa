// The totals and median times of a run. Pure.

export class Totals {
  #counts = { allowed: 0, refused: 0, failed: 0 };
  #times = [];
  #limiterTimes = [];

  add({ outcome, ms, limiterMs }) {
    this.#counts[outcome] += 1;
    if (ms !== null) this.#times.push(ms);
    if (limiterMs !== null) this.#limiterTimes.push(limiterMs);
  }

  get allowed() {
    return this.#counts.allowed;
  }

  get refused() {
    return this.#counts.refused;
  }

  get failed() {
    return this.#counts.failed;
  }

  get answered() {
    return this.allowed + this.refused + this.failed;
  }

  /** The median response time in milliseconds, or null if there is none. */
  get median() {
    return median(this.#times);
  }

  /** The median time of the limiter in milliseconds, or null if no response reported it. */
  get limiterMedian() {
    return median(this.#limiterTimes);
  }
}

/** Returns the median, or null for no values. */
export function median(values) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
