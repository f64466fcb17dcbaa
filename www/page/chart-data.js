// What the chart shows, as plain columns: exactly what the responses said, at the time they came. Pure.

import { capacity } from "./response.js";

export class ChartData {
  #limits = new Map();
  #responses = [];

  /** Takes a response. Responses come in the order of their arrival. */
  add(response) {
    this.#responses.push(response);
    for (const limit of response.limits) {
      if (!this.#limits.has(limit.name)) this.#limits.set(limit.name, { name: limit.name, capacity: null });
      const known = this.#limits.get(limit.name);
      known.capacity = Math.max(known.capacity ?? 0, capacity(limit.policy) ?? 0, limit.remaining);
    }
  }

  get responses() {
    return this.#responses;
  }

  /** The limits seen so far: name, and what each holds when full. */
  get limits() {
    return [...this.#limits.values()];
  }

  /** One limit is drawn in its own units; several share the axis as percentages of what each holds. */
  get unit() {
    return this.#limits.size > 1 ? "percent" : "units";
  }

  /** The upper end of the vertical axis. */
  get top() {
    return this.unit === "percent" ? 100 : Math.max(1, ...this.limits.map((limit) => limit.capacity));
  }

  /**
   * Seconds since the start of the run; then for each limit what was left, as dots, one a response (null:
   * that response did not say); then for each limit the line through them (null: not on the line).
   */
  columns() {
    const seconds = this.#responses.map((response) => response.at / 1000);
    const dots = this.limits.map(({ name, capacity }) =>
      this.#responses.map(({ limits }) => {
        const limit = limits.find((candidate) => candidate.name === name);
        if (limit === undefined) return null;
        return this.unit === "percent" ? (100 * limit.remaining) / Math.max(1, capacity) : limit.remaining;
      }),
    );
    return [seconds, ...dots, ...dots.map((values) => this.#line(values))];
  }

  /**
   * Responses overtake each other. One that says more is left than the line does, though its request was
   * already on its way when the line got there, was judged before: to rise to it would show a refill
   * that never was.
   */
  #line(values) {
    let level = Infinity;
    let since = -Infinity;
    return values.map((value, index) => {
      const { sentAt, at } = this.#responses[index];
      if (value === null || (value > level && sentAt < since)) return null;
      level = value;
      since = at;
      return value;
    });
  }
}

/** The right end of the time axis in seconds: the whole planned run from the start, so that nothing rescales. */
export function timeAxisEnd(plannedMs, lastMs) {
  const seconds = Math.max(plannedMs, lastMs ?? 0) / 1000;
  return seconds <= 1 ? Math.max(0.1, Math.ceil(seconds * 10) / 10) : Math.ceil(seconds * 2) / 2;
}
