// The field for the admin token, and whether the admin API is open to this tab.

import { byId } from "./dom.js";
import { requestTokenFromOpener } from "./token-transfer.js";

/** Wires the form. `onOpen(response)` gets the first page of tenants; `onClose()` is called when the token is gone. */
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
    field.toggleAttribute("aria-invalid", false);
    if (text !== "") field.setAttribute("aria-invalid", "true");
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
      show(false, token === "" ? "Type the token first." : "A token has no spaces and no letters beyond ASCII.");
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
    /** The API does not take the token any more. */
    denied: close,
  };
}
