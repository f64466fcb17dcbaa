// Sends the requests of a schedule when they are due. The caller provides the clock, the timer and the transport.

import { dueAt } from "./schedule.js";

/**
 * Runs a schedule to its end or until `signal` aborts. Returns how many requests it sent.
 *
 * `send(index)` must not reject. A late request, because too many were in flight or the tab was suspended, is sent
 * at once. The next ones follow the schedule, so delays do not accumulate.
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
