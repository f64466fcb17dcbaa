// What a failed change of a tenant means for the operator. Pure.

/**
 * Returns `{ title, text, offer }` for a failed response. `offer` is "reload" if the page may show an old version or the
 * outcome is unknown, "close" if the tenant is gone, and null if the input is wrong.
 */
export function explainFailure({ status, problem, message }) {
  switch (problem) {
    case "lost-race":
    case "key-not-found":
      return { title: FASTER, text: message, offer: "reload" };
    case "too-many-keys":
    case "unknown-plan":
      return { title: "Not changed", text: message, offer: "reload" };
    case "tenant-not-found":
      return { title: "Somebody deleted this tenant", text: message, offer: "close" };
    default:
      if (status === null) return { title: "The outcome is unknown", text: `${message} Reload to see whether the change was made.`, offer: "reload" };
      if (status >= 500) return { title: "Redis failed", text: message, offer: "reload" };
      return { title: "Not changed", text: message, offer: null };
  }
}

const FASTER = "Somebody else was faster";
