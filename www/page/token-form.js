// The form for the admin token. It unlocks the admin API for this tab.

import { byId, setInvalid } from "./dom.js";
import { requestTokenFromOpener } from "./token-transfer.js";

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
    if (await unlock(token)) byId("forget-token").focus({ preventScroll: true });
    else field.focus();
  });
  field.addEventListener("input", () => show(false, ""));
  byId("forget-token").addEventListener("click", () => {
    admin.lock();
    close("");
    field.focus();
  });
  button.disabled = false;
  requestTokenFromOpener(unlock);

  return {
    /** Shows that the API no longer accepts the token. */
    denied: close,
  };
}
