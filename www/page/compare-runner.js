// Runs simulations in Web Workers: several models at the same time, and only the newest setting.

const POOL = Math.min(4, Math.max(1, navigator.hardwareConcurrency ?? 1));

/**
 * Returns a function that simulates a setting. It takes the text of the setting and the names of models, and calls
 * `onOutcome(model, outcome)` for each, in any order, and then `onDone(ms)`; or `onError(message)`. A newer run
 * replaces the last one, which then calls nothing any more.
 */
export function simulationRunner() {
  const idle = [];
  let started = 0;
  let current = null;

  const next = () => {
    while (current !== null && current.queue.length > 0) {
      const worker = idle.pop() ?? start();
      if (worker === null) return;
      worker.postMessage({ run: current.run, text: current.text, model: current.queue.shift() });
    }
  };
  const start = () => {
    if (started >= POOL) return null;
    started += 1;
    const worker = new Worker(new URL("compare-worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      idle.push(worker);
      take(data);
      next();
    });
    worker.addEventListener("error", (event) => take({ run: current?.run, error: event.message ?? "the simulation did not load" }));
    return worker;
  };
  const take = ({ run, model, outcome, error }) => {
    if (current === null || run !== current.run) return;
    const { onOutcome, onDone, onError, begun } = current;
    if (error !== undefined) {
      current = null;
      return onError(error);
    }
    current.left -= 1;
    onOutcome(model, outcome);
    if (current?.left === 0) {
      current = null;
      onDone(performance.now() - begun);
    }
  };

  let runs = 0;
  return (text, models, callbacks) => {
    runs += 1;
    current = { run: runs, text, queue: [...models], left: models.length, begun: performance.now(), ...callbacks };
    next();
  };
}
