// The common part of the panels that call the admin API: an event log, a status line, and whether the API is
// unlocked.

import { byId } from "./dom.js";
import { eventLog } from "./event-log.js";

/**
 * Connects the panel with the elements #NAME-log and #NAME-status. `onToggle()` is called when the API is unlocked
 * or locked.
 */
export function adminPanel(name, onToggle) {
  const status = byId(`${name}-status`);
  const toggle = (unlocked, text) => {
    panel.unlocked = unlocked;
    panel.announce("note", text);
    return onToggle();
  };
  const panel = {
    unlocked: false,
    log: eventLog(byId(`${name}-log`)),
    /** Shows a text in the status line, which screen readers read aloud. */
    announce(tone, text) {
      status.dataset.tone = tone;
      status.textContent = text;
    },
    open: () => toggle(true, ""),
    close: () => toggle(false, "Unlock the admin API to begin."),
  };
  return panel;
}
