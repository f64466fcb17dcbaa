// The admin token on its way to a second tab that this one opens: from memory to memory, once, and to nobody else.

/** Opens the page once more and gives that tab the token when it asks. Says whether the browser let it open. */
export function openTabWithToken(token) {
  const tab = window.open(location.href, "_blank");
  if (tab === null) return false;
  const give = ({ source, origin, data }) => {
    if (source !== tab || origin !== location.origin || data !== TOKEN_REQUEST) return;
    removeEventListener("message", give);
    tab.postMessage({ token }, location.origin);
  };
  addEventListener("message", give);
  return true;
}

/** Asks the tab that has opened this one. `onToken(token)` is called at most once. */
export function requestTokenFromOpener(onToken) {
  const { opener } = window;
  if (opener === null) return;
  const take = ({ source, origin, data }) => {
    if (source !== opener || origin !== location.origin || typeof data?.token !== "string") return;
    removeEventListener("message", take);
    // Neither tab needs the other any more.
    window.opener = null;
    onToken(data.token);
  };
  addEventListener("message", take);
  opener.postMessage(TOKEN_REQUEST, location.origin);
}

const TOKEN_REQUEST = "sluicegate: may I have the admin token?";
