// Which request targets the page accepts. Pure.

/** Returns the path and query to request. Throws a RangeError with the reason if the text is not a valid target. */
export function parseTarget(text, origin) {
  if (!text.startsWith("/")) throw new RangeError("Path: must begin with a slash, for example /hello.");
  let url;
  try {
    url = new URL(text, origin);
  } catch {
    throw new RangeError("Path: not a valid path.");
  }
  if (url.origin !== origin) throw new RangeError("Path: leads to another site.");
  if (/^\/_sluicegate(\/|$)/.test(url.pathname)) {
    throw new RangeError("Path: /_sluicegate/ belongs to sluicegate itself and is not limited.");
  }
  return url.pathname + url.search;
}
