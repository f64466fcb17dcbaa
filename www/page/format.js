// Formats numbers, times and policies as text. Pure.

const UNITS = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
];

const integers = new Intl.NumberFormat("en");
const oneDecimal = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** Formats a whole number with thousands separators: "1,000,000". */
export function number(value) {
  return integers.format(value);
}

/** Formats a count with its noun: "1 request", "20 requests". */
export function pluralize(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Formats a window in seconds as it follows "per": "10 s", "minute", "2 hours". */
export function windowName(seconds) {
  if (seconds === 1) return "second";
  for (const [size, name] of UNITS) {
    if (seconds % size === 0) return seconds === size ? name : pluralize(seconds / size, name);
  }
  return `${number(seconds)} s`;
}

/** Describes a policy: "20 requests per 10 s", "5 concurrent requests". */
export function describePolicy({ quota, unit, window, burst }) {
  if (unit === "concurrent-requests") return pluralize(quota, "concurrent request");
  const requests = pluralize(quota, "request");
  const rate = window === null ? requests : `${requests} per ${windowName(window)}`;
  return burst === null || burst === quota ? rate : `${rate}, burst ${number(burst)}`;
}

/**
 * Formats milliseconds that the page measured, with one decimal below 100: "0.8", "12.3", "1,204"; "–" for null.
 */
export function measuredMs(ms) {
  if (ms === null) return "–";
  return ms < 100 ? ms.toFixed(1) : number(Math.round(ms));
}

/** Formats milliseconds from a header, with no more digits than the header has: "3", "2.5"; "–" for null. */
export function reportedMs(ms) {
  return ms === null ? "–" : oneDecimal.format(ms);
}

/** Formats a duration in milliseconds: "0 s", "850 ms", "6 s", "1 min 20 s", "14 h 52 min". */
export function duration(ms) {
  if (ms < 1) return "0 s";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 100) / 10;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return twoUnits(Math.round(seconds), "min", "s");
  return twoUnits(Math.round(seconds / 60), "h", "min");
}

/**
 * Formats whole seconds for a narrow column: "999 s", "17 min", "2 h". Rounds up, because a retry must not come too
 * early.
 */
export function shortDuration(seconds) {
  if (seconds < 1_000) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${number(Math.ceil(minutes / 60))} h`;
}

function twoUnits(value, large, small) {
  const rest = value % 60;
  return `${number(Math.floor(value / 60))} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** Formats a countdown: tenths of a second below a minute, then minutes and seconds, then hours and minutes. */
export function countdown(ms) {
  if (ms < 60_000) return `${(Math.ceil(ms / 100) / 10).toFixed(1)} s`;
  const [value, unit] = ms < 3_600_000 ? [Math.ceil(ms / 1000), "min"] : [Math.ceil(ms / 60_000), "h"];
  return `${number(Math.floor(value / 60))}:${String(value % 60).padStart(2, "0")} ${unit}`;
}

/** Summarizes a run in one sentence, for the status line and for screen readers. */
export function runSummary({ answered, allowed, refused, failed }, planned) {
  const parts = [`${number(allowed)} allowed`, `${number(refused)} refused`];
  if (failed > 0) parts.push(`${number(failed)} failed`);
  return `${number(answered)} of ${number(planned)} answered: ${parts.join(", ")}.`;
}

/** Returns the reason phrase of a status, or "". HTTP/2 does not transmit one. */
export function reasonPhrase(status) {
  return REASON_PHRASES[status] ?? "";
}

const REASON_PHRASES = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};
