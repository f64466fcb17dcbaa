// Outcomes of the wasm as plain objects, which can be posted between threads. Pure.

/** Converts an outcome of the wasm, and frees it. */
export function plainOutcome(outcome) {
  const { sent, admitted, worst, worstFrom, bound, waits, byWindow, rolling, sentByPart } = outcome;
  outcome.free();
  return { sent, admitted, worst, worstFrom, bound, waits, byWindow, rolling, sentByPart };
}
