// Sends the traffic of a setting to the Worker, in real time, and lets the wasm simulate each decision at the instant that
// the Worker names.
//
// Each algorithm has a subject of its own, and its requests are sent one after the other: only so is their order in Redis
// known. The algorithms run at the same time.

/** The Worker did not decide a request, so nobody knows whether it was charged. */
export class LiveError extends Error {}

/**
 * Runs until the last answer. `comparison` is the scaled setting, `models` are the names of algorithms. Calls
 * `onAnswer(model, lane, same)` for each answer. Rejects with a `LiveError` if a request is not decided, and with the
 * reason of `signal` if it aborts.
 */
export async function sendLive({ admin, comparison, models, now, sleep, signal, onAnswer }) {
  const run = crypto.randomUUID();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const check = async (model, body) => {
    const response = await admin.call("POST", "/check", { subject: `compare:${run}:${model}`, ...body });
    either.throwIfAborted();
    if (!response.ok) throw new LiveError(response.message);
    return response.body;
  };

  // The clock of the edge, by which the requests are planned.
  const { at } = await check("clock", { limits: [{ name: "clock", algorithm: "fixed_window", limit: 1, window: "1s" }], peek: true });
  const ahead = at - now();
  const lanes = models.map((model) => ({ model, lane: comparison.lane(model, at + LEAD_MS) }));
  const drive = async ({ model, lane }) => {
    for (let due = lane.nextDue; due !== undefined; due = lane.nextDue) {
      const early = due - ahead - now();
      if (early > 0) await sleep(early, either);
      either.throwIfAborted();
      const { at: instant, allowed, retry_ms: retry, limits } = await check(model, JSON.parse(lane.send()));
      const [{ remaining, reset_ms: reset }] = limits;
      const same = lane.answer(instant, allowed, retry ?? undefined, remaining, reset);
      onAnswer(model, lane, same);
    }
  };
  try {
    await Promise.all(lanes.map(drive));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

// Time to prepare the lanes before the first request is due.
const LEAD_MS = 200;
