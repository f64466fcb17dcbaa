// The form: reads a run from it, refuses what cannot be sent, and says in the button what a press will do.

import { byId } from "./dom.js";
import { durationMs, newSchedule } from "./schedule.js";
import { parseTarget } from "./request-target.js";
import { duration, pluralize } from "./format.js";

/** Wires the form. `onStart({ schedule, target })` and `onStop()` are called for its buttons. */
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

  /** What the form says, or null with the problem shown at the field that has it. */
  const readForm = () => {
    const checks = [
      [count, () => newSchedule(count.valueAsNumber, null), "Requests: a whole number from 1 to 500."],
      [rate, () => newSchedule(1, steady() ? rate.valueAsNumber : null), "Requests a second: from 0.1 to 200."],
      [path, () => parseTarget(path.value, location.origin), null],
    ];
    for (const field of [count, rate, path]) field.removeAttribute("aria-invalid");
    for (const [field, check, text] of checks) {
      try {
        check();
      } catch (error) {
        field.setAttribute("aria-invalid", "true");
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
    hint.textContent = ms < 1 ? "As fast as your browser opens connections." : `Takes ${duration(ms)}.`;
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
    /** The target as the form has it now, or null. */
    target: () => readForm().target ?? null,
    /** The page can send. */
    enable() {
      ready = true;
      show();
    },
    /** The page will never be able to send. */
    fail(text) {
      problem.textContent = text;
      hint.textContent = "";
    },
    /** A run has begun or ended: focus stays on the button that means something now. */
    setRunning(value) {
      const focused = document.activeElement;
      running = value;
      show();
      if (value && focused === start) stop.focus();
      if (!value && focused === stop) start.focus({ preventScroll: true });
    },
  };
}
