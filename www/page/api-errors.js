// Error messages for the problem documents (RFC 9457) of the admin API. Pure.

/**
 * Returns the message for an error response. `problem` is its parsed body, or null; `retryAfter` is in seconds, or
 * null.
 */
export function errorMessage(status, problem, retryAfter) {
  if (status === 401) return "Wrong admin token (401).";
  if (status === 404 && problemName(problem) === null) {
    return "The admin API is disabled (404): the secret SLUICEGATE_ADMIN_TOKEN is not set in this deployment.";
  }
  const detail = typeof problem?.detail === "string" ? asSentence(problem.detail) : "The response has no details.";
  const retry = status === 503 ? ` Try again${retryAfter === null ? " in a moment" : ` in ${retryAfter} s`}.` : "";
  return `${detail} (${status})${retry}`;
}

/** Returns the name of one of the API's own problems, such as "lock-held", or null for any other problem. */
export function problemName(problem) {
  const type = problem?.type;
  return typeof type === "string" && type.startsWith(URN) ? type.slice(URN.length) : null;
}

/** Capitalizes a detail of the API and adds a full stop. */
function asSentence(detail) {
  const text = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const URN = "urn:sluicegate:problem:";
