// Passes the admin token to a second tab that this one opens: from memory to memory, once, and to no other window.

/**
 * Opens the page in a second tab, and sends it the token when it requests it. Returns whether the browser opened
 * the tab.
 */
export function openTabWithToken(token) {
  const tab = window.open(location.href, "_blank");
  if (tab === null) return false;
  const reply = ({ source, origin, data }) => {
    if (source !== tab || origin !== location.origin || data !== TOKEN_REQUEST) return;
    removeEventListener("message", reply);
    tab.postMessage({ token }, location.origin);
  };
  addEventListener("message", reply);
  return true;
}

/** Requests the token from the tab that opened this one, if any. `onToken(token)` is called at most once. */
export function requestTokenFromOpener(onToken) {
  const { opener } = window;
  if (opener === null) return;
  const receive = ({ source, origin, data }) => {
    if (source !== opener || origin !== location.origin || typeof data?.token !== "string") return;
    removeEventListener("message", receive);
    // The tabs do not need a reference to each other any more.
    window.opener = null;
    onToken(data.token);
  };
  addEventListener("message", receive);
  opener.postMessage(TOKEN_REQUEST, location.origin);
}

const TOKEN_REQUEST = "sluicegate: request admin token";
