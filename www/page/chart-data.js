// The data of the chart, in columns: the values of the responses, at the times they arrived. Pure.

import { capacity } from "./response.js";

export class ChartData {
  #limits = new Map();
  #responses = [];

  /** Adds a response. Responses must be added in the order of their arrival. */
  add(response) {
    this.#responses.push(response);
    for (const { name, policy, remaining } of response.limits) {
      if (!this.#limits.has(name)) this.#limits.set(name, { name, capacity: 0 });
      const limit = this.#limits.get(name);
      limit.capacity = Math.max(limit.capacity, capacity(policy) ?? 0, remaining);
    }
  }

  get responses() {
    return this.#responses;
  }

  /** The limits seen so far, as `{ name, capacity }`. */
  get limits() {
    return [...this.#limits.values()];
  }

  /**
   * The unit of the vertical axis. A single limit is drawn in its own units, several as percentages of their
   * capacity.
   */
  get unit() {
    return this.#limits.size > 1 ? "percent" : "units";
  }

  /** The upper end of the vertical axis. */
  get top() {
    return this.unit === "percent" ? 100 : Math.max(1, ...this.limits.map((limit) => limit.capacity));
  }

  /**
   * Returns the columns of the chart: the seconds since the start of the run, then one column of dots per limit
   * (null if the response does not have that limit), then one column per limit for the line (null if the dot is not
   * on the line).
   */
  columns() {
    const seconds = this.#responses.map((response) => response.at / 1000);
    const dots = this.limits.map((limit) =>
      this.#responses.map(({ limits }) => {
        const found = limits.find(({ name }) => name === limit.name);
        if (found === undefined) return null;
        return this.unit === "percent" ? (100 * found.remaining) / Math.max(1, limit.capacity) : found.remaining;
      }),
    );
    return [seconds, ...dots, ...dots.map((values) => this.#line(values))];
  }

  /**
   * Responses can arrive out of order. A response was decided before the current level if its value is higher and
   * its request was sent before that level was reached. Raising the line to it would show a refill that did not
   * happen.
   */
  #line(values) {
    let level = Infinity;
    let reachedAt = -Infinity;
    return values.map((value, index) => {
      const { sentAt, at } = this.#responses[index];
      if (value === null || (value > level && sentAt < reachedAt)) return null;
      level = value;
      reachedAt = at;
      return value;
    });
  }
}

/**
 * Returns the end of the time axis in seconds. It covers the whole planned run, so that the axis does not rescale.
 */
export function timeAxisEnd(plannedMs, lastMs) {
  const seconds = Math.max(plannedMs, lastMs ?? 0) / 1000;
  return seconds <= 1 ? Math.max(0.1, Math.ceil(seconds * 10) / 10) : Math.ceil(seconds * 2) / 2;
}
