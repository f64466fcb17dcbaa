// Sends the requests of a plan when they are due. The clock, the timer and the sending come from outside.

import { dueAt } from "./schedule.js";

/**
 * Runs a plan to its end or until `signal` aborts, and says how many requests were sent.
 * `send(index)` must not reject. A request that is late (the lanes were full, the tab slept) goes out
 * at once, and the next ones keep to the plan: lateness does not add up.
 */
export async function run({ plan, lanes, send, now, sleep, signal }) {
  const start = now();
  const waiting = new Set();
  let sent = 0;
  while (sent < plan.count) {
    const early = dueAt(plan, sent) - (now() - start);
    if (early > 0) await sleep(early, signal);
    while (waiting.size >= lanes && !signal.aborted) await Promise.race(waiting);
    if (signal.aborted) break;
    const task = send(sent).finally(() => waiting.delete(task));
    waiting.add(task);
    sent += 1;
  }
  await Promise.all(waiting);
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
