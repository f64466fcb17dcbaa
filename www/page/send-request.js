// One request and its response, through the browser's own fetch.

import { parseProblem, parseResponse } from "./response.js";

/**
 * Sends one request, with the API key of `identity` ({ tenant, key }, or null), and reports the response: `onHead(response)` when its headers are here, `onBody(response)`
 * when `response.body` is too. A request without a response becomes a response with an `error`, reported
 * to `onHead` alone; one that `signal` aborted is not reported. Returns whether there was anything to report.
 */
export async function sendRequest({ index, target, identity, parsers, start, signal, onHead, onBody }) {
  const sent = performance.now();
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const facts = { number: index + 1, ...target, tenant: identity?.tenant ?? null, sentAt: sent - start };
  let fetched;
  try {
    fetched = await fetch(target.path, {
      method: target.method,
      headers: identity === null ? {} : { Authorization: `Bearer ${identity.key}` },
      signal: AbortSignal.any([signal, timeout]),
      cache: "no-store",
      redirect: "manual",
    });
  } catch (error) {
    if (signal.aborted) return false;
    onHead({ ...facts, ...NO_ANSWER, at: performance.now() - start, error: reason(error, timeout) });
    return true;
  }
  const arrived = performance.now();
  const response = {
    ...facts,
    ...parseResponse(fetched, parsers, Date.now()),
    at: arrived - start,
    ms: arrived - sent,
    redirected: fetched.type === "opaqueredirect",
    error: null,
    body: null,
    problem: null,
  };
  onHead(response);
  response.body = await readBody(fetched);
  response.problem = parseProblem(fetched.headers.get("Content-Type"), response.body.text);
  onBody(response);
  return true;
}

const NO_ANSWER = Object.freeze({
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
  return timeout.aborted ? `no response within ${TIMEOUT_MS / 1000} s` : `no response (${error.message})`;
}

/** `{ text, note }`: the body as text, or what there is to say instead. Large and endless bodies are cut. */
async function readBody(fetched) {
  const type = fetched.headers.get("Content-Type") ?? "";
  const { bytes, whole } = await readUpTo(fetched.body, MAX_BODY_BYTES, BODY_TIMEOUT_MS);
  if (bytes.length === 0) return { text: "", note: "no body" };
  if (!TEXT.test(type)) {
    return { text: "", note: `${whole ? "" : "more than "}${bytes.length} bytes of ${type || "an unnamed type"}` };
  }
  return { text: new TextDecoder().decode(bytes), note: whole ? null : "cut here: the page keeps no more of it" };
}

/** The first `most` bytes of a stream, or what came of them `within` milliseconds. */
async function readUpTo(stream, most, within) {
  const reader = stream?.getReader();
  const chunks = [];
  let length = 0;
  let whole = reader === undefined;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader?.cancel().catch(() => {});
  }, within);
  try {
    while (!whole && !late && length < most) {
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
  return { bytes: bytes.subarray(0, most), whole };
}

// Long enough for a slow origin, short enough that a dead one does not block the run.
const TIMEOUT_MS = 30_000;
// An event stream never ends; the lane it holds is needed.
const BODY_TIMEOUT_MS = 3_000;
const MAX_BODY_BYTES = 65_536;
const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|javascript|yaml)\b)/i;
