// The way of one request: checked, answered, settled, released.

import { keepAlive } from "./glue.js";

/** Checks a request. Returns the refusal or, with the rate limit headers, the response of `respond`. */
export async function protect(gate, check, respond, { settle, signal }, log) {
  const verdict = await gate.check(check);
  if (!verdict.allowed) return verdict.response();
  const hasMore = settle !== undefined || verdict.lease !== null;
  const answered = answer(respond, verdict);
  if (!hasMore) return answered;
  // A client that leaves must not keep its lease.
  keepAlive(answered);
  let response;
  try {
    response = await answered;
  } catch (error) {
    // Nobody knows what it has cost: the charge stays.
    keepAlive(gate.release(verdict));
    throw error;
  }
  const [passed, ended] = watch(response, signal);
  keepAlive(ended.then(() => finish(gate, verdict, response, settle, log)));
  return passed;
}

// The headers of the response stay: several limiters may be chained.
async function answer(respond, verdict) {
  const response = await respond(verdict);
  const limited = new Response(response.body, response);
  verdict.headers.forEach((value, name) => limited.headers.append(name, value));
  return limited;
}

// Returns a response, and a promise that resolves when its body has ended or the client has left.
function watch(response, signal) {
  if (response.body === null) return [response, Promise.resolve()];
  const { readable, writable } = stream(response.headers);
  const ended = response.body.pipeTo(writable, { signal }).catch(() => {});
  return [new Response(readable, response), ended];
}

// Workers have streams that stay inside the runtime. Only one of known length keeps the header Content-Length. An
// encoded body is decoded here, and encoded again by the runtime: its length is not known.
function stream(headers) {
  const { FixedLengthStream, IdentityTransformStream = TransformStream } = globalThis;
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  return FixedLengthStream && length !== null ? new FixedLengthStream(Number(length)) : new IdentityTransformStream();
}

async function finish(gate, verdict, response, settle, log) {
  try {
    const cost = await settle?.(response);
    if (cost !== undefined) await gate.settle(verdict, cost);
  } catch (error) {
    log({ event: "failure", what: "settlement", error: String(error), count: 1 });
  }
  // Nothing here sees a WebSocket close (status 101): its lease expires by itself.
  if (response.status !== 101) await gate.release(verdict);
}
