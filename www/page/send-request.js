// Sends one request with the browser's fetch, and reads the response.

import { parseProblem, parseResponse } from "./response.js";

/**
 * Sends one request, with the API key of `identity` ({ tenant, key }, or null). Calls `onHead(response)` when the
 * headers have arrived, and `onBody(response)` when `response.body` is set. If no response comes, calls only
 * `onHead`, with an `error`. Calls neither if `signal` aborts. Returns whether it called `onHead`.
 */
export async function sendRequest({ index, target, identity, parsers, start, signal, onHead, onBody }) {
  const sent = performance.now();
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const request = { number: index + 1, ...target, tenant: identity?.tenant ?? null, sentAt: sent - start };
  let reply;
  try {
    reply = await fetch(target.path, {
      method: target.method,
      headers: identity === null ? {} : { Authorization: `Bearer ${identity.key}` },
      signal: AbortSignal.any([signal, timeout]),
      cache: "no-store",
      redirect: "manual",
    });
  } catch (error) {
    if (signal.aborted) return false;
    onHead({ ...request, ...NO_RESPONSE, at: performance.now() - start, error: reason(error, timeout) });
    return true;
  }
  const arrived = performance.now();
  const response = {
    ...request,
    ...parseResponse(reply, parsers, Date.now()),
    at: arrived - start,
    ms: arrived - sent,
    redirected: reply.type === "opaqueredirect",
    error: null,
    body: null,
    problem: null,
  };
  onHead(response);
  response.body = await readBody(reply);
  response.problem = parseProblem(reply.headers.get("Content-Type"), response.body.text);
  onBody(response);
  return true;
}

const NO_RESPONSE = Object.freeze({
  status: null,
  outcome: "failed",
  ms: null,
  headers: [],
  policies: [],
  limits: [],
  headerError: null,
  retryAfter: null,
  limiterMs: null,
  limiterNote: null,
  redirected: false,
  body: null,
  problem: null,
});

function reason(error, timeout) {
  return timeout.aborted ? `No response within ${TIMEOUT_MS / 1000} s` : `No response: ${error.message}`;
}

/** Returns `{ text, note }`: the body as text, and a note if it is not all of it. Cuts large and endless bodies. */
async function readBody({ headers, body }) {
  const type = headers.get("Content-Type") ?? "";
  const { bytes, whole } = await readUpTo(body, MAX_BODY_BYTES, BODY_TIMEOUT_MS);
  if (bytes.length === 0) return { text: "", note: "No body." };
  if (!TEXT.test(type)) {
    return { text: "", note: `${whole ? "" : "more than "}${bytes.length} bytes of ${type || "unknown type"}` };
  }
  return { text: new TextDecoder().decode(bytes), note: whole ? null : "truncated here" };
}

/**
 * Reads the first `maxBytes` of a stream, or what arrives within `timeoutMs`. `whole` is whether the stream ended.
 */
async function readUpTo(stream, maxBytes, timeoutMs) {
  const reader = stream?.getReader();
  const chunks = [];
  let length = 0;
  let whole = reader === undefined;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader?.cancel().catch(() => {});
  }, timeoutMs);
  try {
    while (!whole && !late && length < maxBytes) {
      const { done, value } = await reader.read();
      if (done) whole = !late;
      else {
        chunks.push(value);
        length += value.length;
      }
    }
  } catch {
    whole = false;
  } finally {
    clearTimeout(timer);
  }
  if (!whole) reader?.cancel().catch(() => {});
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return { bytes: bytes.subarray(0, maxBytes), whole };
}

// Long enough for a slow origin, and short enough that a dead one does not block the run.
const TIMEOUT_MS = 30_000;
// An event stream never ends, but its connection is needed for other requests.
const BODY_TIMEOUT_MS = 3_000;
const MAX_BODY_BYTES = 65_536;
const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|javascript|yaml)\b)/i;
