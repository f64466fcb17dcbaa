// What the gate would say to a request right now, asked over the admin API without charging anybody.

import { parseResponse } from "./response.js";

/**
 * The limits of `subject` ({ tenant } or { subject, plan }) with what is left of each, or a message that says why
 * they cannot be told: `{ limits, message }`, one of them null. They come in the headers that every response has.
 */
export async function peek(admin, parsers, subject) {
  const response = await admin.call("POST", "/check", { ...subject, peek: true, lease: LEASE });
  if (!response.ok) return { limits: null, message: response.message };
  const { limits, headerError } = parseResponse(response, parsers, Date.now());
  return headerError === null ? { limits, message: null } : { limits: null, message: headerError };
}

/** A subject that nobody charges: to see what a plan promises to a newcomer. */
export const UNUSED_SUBJECT = "demo-newcomer";

// A limit on requests in flight wants to know which; a look takes none.
const LEASE = "demo-look";
