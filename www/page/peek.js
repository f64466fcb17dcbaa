// Reads the remaining quota over the admin API, without charging it.

import { parseResponse } from "./response.js";

/**
 * Returns `{ limits, message }` for a subject ({ tenant } or { subject, plan }): its limits with what remains of
 * each, or a message that explains why they are unknown. One of them is null.
 */
export async function peek(admin, parsers, subject) {
  const response = await admin.call("POST", "/check", { ...subject, peek: true, lease: LEASE });
  if (!response.ok) return { limits: null, message: response.message };
  const { limits, headerError } = parseResponse(response, parsers, Date.now());
  return headerError === null ? { limits, message: null } : { limits: null, message: headerError };
}

/** A subject that is never charged. A peek at it shows the full quotas of a plan. */
export const UNUSED_SUBJECT = "demo-newcomer";

// A concurrency limit requires a lease id. A peek does not take the lease.
const LEASE = "demo-look";
