// What the gate would say to a request right now, asked over the admin API without charging anybody.

import { read } from "./response.js";

/**
 * The limits of `whose` ({ tenant } or { subject, plan }) with what is left of each, or a sentence that says why
 * they cannot be told: `{ limits, sentence }`, one of them null. They come in the headers that every answer has.
 */
export async function peek(admin, parsers, whose) {
  const answer = await admin.call("POST", "/check", { ...whose, peek: true, lease: LEASE });
  if (!answer.ok) return { limits: null, sentence: answer.sentence };
  const { limits, trouble } = read(answer, parsers, Date.now());
  return trouble === null ? { limits, sentence: null } : { limits: null, sentence: trouble };
}

/** A subject that nobody charges: to see what a plan promises to a newcomer. */
export const NEWCOMER = "demo-newcomer";

// A limit on requests in flight wants to know which; a look takes none.
const LEASE = "demo-look";
