// The form for a run: validates it, and shows in the button what it will send.

import { byId, setInvalid } from "./dom.js";
import { duration, pluralize } from "./format.js";
import { parseTarget } from "./request-target.js";
import { durationMs, newSchedule } from "./schedule.js";

/** Connects the form. `onStart({ schedule, target })` and `onStop()` are called for its buttons. */
export function requestForm({ onStart, onStop }) {
  const form = byId("controls");
  const { count, rate, method, path } = form.elements;
  const problem = byId("problem");
  const start = byId("start");
  const stop = byId("stop");
  const hint = byId("hint");
  const steady = () => form.elements.pace.value === "steady";
  let ready = false;
  let running = false;

  /** Returns `{ schedule, target }`, or `{ field, text }` for the first invalid field, which it marks. */
  const readForm = () => {
    const checks = [
      [count, () => newSchedule(count.valueAsNumber, null), "Requests: enter a whole number from 1 to 500."],
      [rate, () => newSchedule(1, steady() ? rate.valueAsNumber : null), "Requests per second: enter 0.1 to 200."],
      [path, () => parseTarget(path.value, location.origin), null],
    ];
    for (const field of [count, rate, path]) setInvalid(field, false);
    for (const [field, check, text] of checks) {
      try {
        check();
      } catch (error) {
        setInvalid(field, true);
        return { field, text: text ?? error.message };
      }
    }
    return {
      schedule: newSchedule(count.valueAsNumber, steady() ? rate.valueAsNumber : null),
      target: { method: method.value, path: parseTarget(path.value, location.origin) },
    };
  };

  const show = () => {
    rate.disabled = !steady();
    const run = readForm();
    problem.textContent = run.text ?? "";
    start.disabled = !ready || running;
    stop.disabled = !running;
    form.classList.toggle("running", running);
    if (run.schedule === undefined) {
      hint.textContent = "";
      return;
    }
    const name = running ? "Sending…" : `Send ${pluralize(run.schedule.count, "request")}`;
    if (start.textContent !== name) start.textContent = name;
    const ms = durationMs(run.schedule);
    hint.textContent = ms < 1 ? "As fast as your browser can open connections." : `Duration: ${duration(ms)}.`;
  };

  form.addEventListener("input", show);
  for (const preset of form.querySelectorAll("[data-count]")) {
    preset.addEventListener("click", () => {
      count.value = preset.dataset.count;
      form.elements.pace.value = preset.dataset.rate === "" ? "once" : "steady";
      if (preset.dataset.rate !== "") rate.value = preset.dataset.rate;
      show();
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const run = readForm();
    if (run.schedule === undefined) return run.field.focus();
    if (!start.disabled) onStart(run);
  });
  stop.addEventListener("click", onStop);
  show();

  return {
    /** Returns the request target of the form, or null if the form is invalid. */
    target: () => readForm().target ?? null,
    /** Enables sending. */
    enable() {
      ready = true;
      show();
    },
    /** Shows why the page cannot send. */
    fail(text) {
      problem.textContent = text;
      hint.textContent = "";
    },
    /** Shows whether a run is active. Moves the focus to the button that is enabled. */
    setRunning(value) {
      const focused = document.activeElement;
      running = value;
      show();
      if (value && focused === start) stop.focus();
      if (!value && focused === stop) start.focus({ preventScroll: true });
    },
  };
}
