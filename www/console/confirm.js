// Asks before a change that hurts somebody.

import { byId } from "../page/dom.js";

/** Ends the question that is asked, with this answer. */
let answer = () => {};

/**
 * Opens a modal dialog. With `typed`, the operator must type that text. Resolves to whether the operator confirms; the
 * focus returns to where it was.
 */
export function confirm({ title, text, action, typed = null }) {
  answer(false);
  const dialog = byId("confirm");
  const field = byId("confirm-typed");
  const button = byId("confirm-action");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  button.textContent = action;
  byId("confirm-typed-field").hidden = typed === null;
  byId("confirm-typed-label").textContent = `Type ${typed} to confirm`;
  field.value = "";

  const isReady = () => typed === null || field.value.trim() === typed;
  const toggle = () => (button.disabled = !isReady());
  const accept = () => isReady() && answer(true);
  toggle();
  dialog.showModal();
  return new Promise((resolve) => {
    const events = new AbortController();
    const on = (target, type, listener) => target.addEventListener(type, listener, { signal: events.signal });
    answer = (isConfirmed) => {
      events.abort();
      dialog.close();
      resolve(isConfirmed);
    };
    on(button, "click", accept);
    on(byId("confirm-cancel"), "click", () => answer(false));
    on(field, "input", toggle);
    on(field, "keydown", ({ key }) => key === "Enter" && accept());
    // The browser reports a closing later: the dialog may be open again by then, for this question.
    on(dialog, "close", () => dialog.open || answer(false));
  });
}
