// The form for the admin token. It unlocks the admin API for this tab.

import { byId, setInvalid } from "./dom.js";

/**
 * Connects the form. `onOpen(response)` receives the first page of tenants. `onClose()` is called when the token is
 * forgotten.
 */
export function tokenForm(admin, { onOpen, onClose }) {
  const form = byId("token-form");
  const field = byId("token");
  const button = byId("unlock");
  const problem = byId("token-problem");
  const unlocked = byId("unlocked");

  const show = (open, text) => {
    form.hidden = open;
    unlocked.hidden = !open;
    problem.textContent = text;
    setInvalid(field, text !== "");
  };
  const unlock = async (token) => {
    button.disabled = true;
    const response = await admin.unlock(token);
    button.disabled = false;
    if (!response.ok) {
      show(false, response.message);
      return false;
    }
    field.value = "";
    show(true, "");
    onOpen(response);
    return true;
  };
  const close = (text) => {
    show(false, text);
    onClose();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const token = field.value.trim();
    if (!/^[\x21-\x7e]+$/.test(token)) {
      show(false, token === "" ? "Enter the admin token." : "A token contains only ASCII characters and no spaces.");
      return field.focus();
    }
    const isAccepted = await unlock(token);
    // What opens may take the focus.
    if (!isAccepted) field.focus();
    else if (document.activeElement === document.body || form.contains(document.activeElement)) byId("forget-token").focus({ preventScroll: true });
  });
  field.addEventListener("input", () => show(false, ""));
  byId("forget-token").addEventListener("click", () => {
    admin.lock();
    close("");
    field.focus();
  });
  button.disabled = false;

  return {
    /** Sends a token to the API. Returns whether the API accepts it. */
    unlock,
    /** Shows that the API no longer accepts the token. */
    denied: close,
  };
}
