// What the admin API's problems (RFC 9457) say, as sentences for somebody who only sees this page. Pure.

/** The message for a response that is not good: its status, the problem that is its body or null, and Retry-After in seconds or null. */
export function errorMessage(status, problem, retryAfter) {
  const detail = typeof problem?.detail === "string" ? asSentence(problem.detail) : null;
  if (status === 401) return "This is not the gate's admin token (401).";
  if (status === 404 && problemName(problem) === null) {
    return "This gate has no admin API (404): whoever deployed it has not set the secret SLUICEGATE_ADMIN_TOKEN.";
  }
  const again = status === 503 ? ` Try again${retryAfter === null ? " in a moment" : ` in ${retryAfter} s`}.` : "";
  return `${detail ?? "The gate gave no reason."} (${status})${again}`;
}

/** The name of one of the API's own problems: «lock-held»; null for any other. */
export function problemName(problem) {
  const type = problem?.type;
  return typeof type === "string" && type.startsWith(URN) ? type.slice(URN.length) : null;
}

/** A detail as the API words it, with a capital letter at the beginning and a full stop at the end. */
function asSentence(detail) {
  const text = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const URN = "urn:sluicegate:problem:";
