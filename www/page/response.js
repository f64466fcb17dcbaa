// A response's head, read into plain data. Pure: the header parsers are given.

/**
 * Reads status and headers into
 * `{ status, outcome, headers, policies, limits, headerError, retryAfter, limiterMs, limiterNote }`:
 *
 * - outcome: "allowed" | "refused" (the gate says so) | "failed" (5xx: the gate let nothing through, or the origin broke)
 * - policies, limits: the items of RateLimit-Policy and RateLimit, each limit with the `policy` of its name
 * - headerError: what was wrong with these headers, or null
 * - retryAfter: seconds, or null;  limiterMs: what the limiter took, or null
 * - limiterNote: what the gate added, or null: "refused", "unjudged" (it could not ask Redis), "exempt" (no limit applies),
 *   "shadow" (a limit would have refused, but only watches here)
 */
export function parseResponse({ status, headers }, parsers, wallClock) {
  const headerError = [];
  const items = (name, parse) => {
    const value = headers.get(name);
    if (value === null) return [];
    try {
      return parse(value);
    } catch (error) {
      headerError.push(error.message);
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
    headerError: headerError.length > 0 ? headerError.join("; ") : null,
    retryAfter: parseRetryAfter(headers.get("Retry-After"), wallClock),
    limiterMs: limiter.dur,
    limiterNote: limiter.desc,
  };
}

/** A 429, or a 401, that the gate does not claim is the origin's own: that request was let through and charged. */
function outcome(status, limiterNote) {
  if (status >= 500) return "failed";
  return limiterNote === "refused" ? "refused" : "allowed";
}

/** What can be held at once: a bucket's burst where it differs from the quota. */
export function capacity(policy) {
  return policy === null ? null : (policy.burst ?? policy.quota);
}

/** The limit that is closest to its end: the least share, or the least number where a policy is unknown. */
export function tightestLimit(limits) {
  const share = ({ remaining, policy }) => remaining / (capacity(policy) || 1);
  return limits.reduce((least, limit) => (least === null || share(limit) < share(least) ? limit : least), null);
}

/** Seconds of a Retry-After value, which may also be a date (RFC 9110, 10.2.3). */
export function parseRetryAfter(value, wallClock) {
  if (value === null) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - wallClock) / 1000));
}

/** `dur` in milliseconds and `desc` of one metric of a Server-Timing value, each null where it is not there. */
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
 * What a problem+json body (RFC 9457) says, each null where it does not say: `detail`, the `violated`
 * limits' names, and `retryAfterMs`, the gate's own exact version of Retry-After. Null for any other body.
 */
export function parseProblem(contentType, body) {
  if (!/^application\/problem\+json\b/i.test(contentType ?? "")) return null;
  try {
    const { detail, "violated-policies": names, "retry-after-ms": retryAfterMs } = JSON.parse(body);
    return {
      detail: typeof detail === "string" ? detail : null,
      violated: Array.isArray(names) && names.every((name) => typeof name === "string") ? names : null,
      retryAfterMs: Number.isFinite(retryAfterMs) && retryAfterMs >= 0 ? retryAfterMs : null,
    };
  } catch {
    return null;
  }
}

/** Milliseconds after which the same request passes: exact where the body limiterNote it, else whole seconds; or null. */
export function retryAfterMs({ problem, retryAfter }) {
  return problem?.retryAfterMs ?? (retryAfter === null ? null : retryAfter * 1000);
}
