// Parses a response into plain data. Pure. The caller provides the header parsers.

/**
 * Parses the status and headers of a response into
 * `{ status, outcome, headers, policies, limits, headerError, retryAfter, limiterMs, limiterNote }`:
 *
 * - outcome: "allowed", "refused" (by sluicegate), or "failed" (5xx of sluicegate or of the origin)
 * - policies, limits: the items of RateLimit-Policy and RateLimit, each limit with its `policy`
 * - headerError: why these headers are invalid, or null
 * - retryAfter: in seconds, or null
 * - limiterMs: the time that the limiter took in milliseconds, or null
 * - limiterNote: the `desc` of the limiter in Server-Timing, or null: "refused", "unjudged" (Redis was unavailable),
 *   "exempt" (no limit applies), "shadow" (a limit in shadow mode was exceeded)
 */
export function parseResponse({ status, headers }, parsers, wallClock) {
  const errors = [];
  const items = (name, parse) => {
    const value = headers.get(name);
    if (value === null) return [];
    try {
      return parse(value);
    } catch (error) {
      errors.push(error.message);
      return [];
    }
  };
  const policies = items("RateLimit-Policy", parsers.policy);
  const limits = items("RateLimit", parsers.limits).map((limit) => ({
    ...limit,
    policy: policies.find(({ name }) => name === limit.name) ?? null,
  }));
  const limiter = serverTimingMetric(headers.get("Server-Timing"), "limiter");
  return {
    status,
    outcome: outcome(status, limiter.desc),
    headers: [...headers],
    policies,
    limits,
    headerError: errors.length > 0 ? errors.join("; ") : null,
    retryAfter: parseRetryAfter(headers.get("Retry-After"), wallClock),
    limiterMs: limiter.dur,
    limiterNote: limiter.desc,
  };
}

/** A 401 or 429 without the note "refused" comes from the origin: that request was allowed and charged. */
function outcome(status, limiterNote) {
  if (status >= 500) return "failed";
  return limiterNote === "refused" ? "refused" : "allowed";
}

/** Returns the most that a limit can hold: its burst, or else its quota. */
export function capacity(policy) {
  return policy === null ? null : (policy.burst ?? policy.quota);
}

/** Returns the limit with the smallest remaining share, or with the fewest units if its policy is unknown. */
export function tightestLimit(limits) {
  const share = ({ remaining, policy }) => remaining / (capacity(policy) || 1);
  return limits.reduce((least, limit) => (least === null || share(limit) < share(least) ? limit : least), null);
}

/** Returns the seconds of a Retry-After value, which may also be a date (RFC 9110, section 10.2.3). */
export function parseRetryAfter(value, wallClock) {
  if (value === null) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - wallClock) / 1000));
}

/**
 * Returns `dur` (in milliseconds) and `desc` of one metric of a Server-Timing value, each null if it is missing.
 */
export function serverTimingMetric(value, metric) {
  const entries = (value ?? "").split(",").map((entry) => entry.split(";").map((part) => part.trim()));
  const [, ...parameters] = entries.find(([name]) => name === metric) ?? [];
  const parameter = (name) => {
    const found = parameters.find((text) => text.toLowerCase().startsWith(`${name}=`));
    return found?.slice(name.length + 1).replaceAll('"', "") ?? null;
  };
  const dur = Number.parseFloat(parameter("dur"));
  return { dur: Number.isFinite(dur) ? dur : null, desc: parameter("desc") };
}

/**
 * Parses a problem+json body (RFC 9457). Returns `detail`, the names of the `violated` limits, and `retryAfterMs`,
 * the retry time in exact milliseconds. Each is null if it is missing. Returns null for any other body.
 */
export function parseProblem(contentType, body) {
  if (!/^application\/problem\+json\b/i.test(contentType ?? "")) return null;
  try {
    const { detail, "violated-policies": names, "retry-after-ms": retryMs } = JSON.parse(body);
    return {
      detail: typeof detail === "string" ? detail : null,
      violated: Array.isArray(names) && names.every((name) => typeof name === "string") ? names : null,
      retryAfterMs: Number.isFinite(retryMs) && retryMs >= 0 ? retryMs : null,
    };
  } catch {
    return null;
  }
}

/** Returns the retry time in milliseconds: from the body if it has one, else from Retry-After; or null. */
export function retryAfterMs({ problem, retryAfter }) {
  return problem?.retryAfterMs ?? (retryAfter === null ? null : retryAfter * 1000);
}
