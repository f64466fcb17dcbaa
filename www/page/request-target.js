// Where requests may go. Pure.

/** The path and query to request, or a RangeError that says why it cannot be one. */
export function parseTarget(text, origin) {
  if (!text.startsWith("/")) throw new RangeError("Path: begins with a slash, like /hello.");
  let url;
  try {
    url = new URL(text, origin);
  } catch {
    throw new RangeError("Path: not a path of this site.");
  }
  if (url.origin !== origin) throw new RangeError("Path: leads to another site.");
  if (/^\/_sluicegate(\/|$)/.test(url.pathname)) {
    throw new RangeError("Path: /_sluicegate/ is the gate's own and is not limited.");
  }
  return url.pathname + url.search;
}
