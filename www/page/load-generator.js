// Sends the requests of a schedule when they are due. The clock, the timer and the sending come from outside.

import { dueAt } from "./schedule.js";

/**
 * Runs a schedule to its end or until `signal` aborts, and says how many requests were sent.
 * `send(index)` must not reject. A request that is late (the maxConcurrent were full, the tab slept) goes out
 * at once, and the next ones keep to the schedule: lateness does not add up.
 */
export async function runSchedule({ schedule, maxConcurrent, send, now, sleep, signal }) {
  const start = now();
  const inFlight = new Set();
  let sent = 0;
  while (sent < schedule.count) {
    const early = dueAt(schedule, sent) - (now() - start);
    if (early > 0) await sleep(early, signal);
    while (inFlight.size >= maxConcurrent && !signal.aborted) await Promise.race(inFlight);
    if (signal.aborted) break;
    const task = send(sent).finally(() => inFlight.delete(task));
    inFlight.add(task);
    sent += 1;
  }
  await Promise.all(inFlight);
  return sent;
}

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function sleep(ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
