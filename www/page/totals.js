// Totals of a run. Pure.

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

  /** Milliseconds in which half of the responses came, or null before the first. */
  get median() {
    return median(this.#times);
  }

  /** Milliseconds that the limiter took for half of the responses, or null where none said so. */
  get limiterMedian() {
    return median(this.#limiterTimes);
  }
}

/** The middle value, the mean of the two middle ones, or null. */
export function median(values) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
