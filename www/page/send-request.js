// One request and its answer, through the browser's own fetch.

import { problem, read } from "./response.js";

/**
 * Sends one request, with the API key of `identity` ({ tenant, key }, or null), and reports the answer: `onHead(answer)` when its headers are here, `onBody(answer)`
 * when `answer.body` is too. A request without an answer becomes an answer with an `error`, reported
 * to `onHead` alone; one that `signal` aborted is not reported. Returns whether there was anything to report.
 */
export async function exchange({ index, target, identity, parsers, start, signal, onHead, onBody }) {
  const sent = performance.now();
  const patience = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const facts = { number: index + 1, ...target, tenant: identity?.tenant ?? null, sentAt: sent - start };
  let response;
  try {
    response = await fetch(target.path, {
      method: target.method,
      headers: identity === null ? {} : { Authorization: `Bearer ${identity.key}` },
      signal: AbortSignal.any([signal, patience]),
      cache: "no-store",
      redirect: "manual",
    });
  } catch (error) {
    if (signal.aborted) return false;
    onHead({ ...facts, ...NO_ANSWER, at: performance.now() - start, error: reason(error, patience) });
    return true;
  }
  const arrived = performance.now();
  const answer = {
    ...facts,
    ...read(response, parsers, Date.now()),
    at: arrived - start,
    ms: arrived - sent,
    redirected: response.type === "opaqueredirect",
    error: null,
    body: null,
    problem: null,
  };
  onHead(answer);
  answer.body = await readBody(response);
  answer.problem = problem(response.headers.get("Content-Type"), answer.body.text);
  onBody(answer);
  return true;
}

const NO_ANSWER = Object.freeze({
  status: null,
  outcome: "failed",
  ms: null,
  headers: [],
  policies: [],
  limits: [],
  trouble: null,
  retryAfter: null,
  limiterMs: null,
  said: null,
  redirected: false,
  body: null,
  problem: null,
});

function reason(error, patience) {
  return patience.aborted ? `no answer within ${ANSWER_WITHIN_MS / 1000} s` : `no answer (${error.message})`;
}

/** `{ text, note }`: the body as text, or what there is to say instead. Large and endless bodies are cut. */
async function readBody(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const { bytes, whole } = await take(response.body, BODY_BYTES, BODY_WITHIN_MS);
  if (bytes.length === 0) return { text: "", note: "no body" };
  if (!TEXT.test(type)) {
    return { text: "", note: `${whole ? "" : "more than "}${bytes.length} bytes of ${type || "an unnamed type"}` };
  }
  return { text: new TextDecoder().decode(bytes), note: whole ? null : "cut here: the page keeps no more of it" };
}

/** The first `most` bytes of a stream, or what came of them `within` milliseconds. */
async function take(stream, most, within) {
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
const ANSWER_WITHIN_MS = 30_000;
// An event stream never ends; the lane it holds is needed.
const BODY_WITHIN_MS = 3_000;
const BODY_BYTES = 65_536;
const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|javascript|yaml)\b)/i;
