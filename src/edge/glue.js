// What each request needs of JavaScript, in one crossing each: crossings cost more than the work on either side. Nothing is
// decided here. Headers cross as text, a line with each name, then one with its value: no header has a line break.

// wasm-bindgen queues its tasks with this. A promise takes less CPU time than the runtime's own function.
const resolved = Promise.resolve();
const run = (task) => () => {
  try { task(); } catch (error) { reportError(error); }
};
globalThis.queueMicrotask = (task) => void resolved.then(run(task));

// reqwest aborts each call to Redis when it drops the response, complete or not. While the call is polled, only a
// complete response is dropped: that abort has no effect but its cost. Otherwise the call is given up. Without a
// reason, the runtime makes an error with a stack trace each time.
const { abort } = AbortController.prototype;
const dropped = new Error("the response was dropped");
let isPolling = false;
AbortController.prototype.abort = function (reason = dropped) { if (!isPolling) abort.call(this, reason); };
export const setPolling = (value) => { isPolling = value; };

const lines = (headers) => {
  let text = "";
  headers.forEach((value, name) => { text += `${name}\n${value}\n`; });
  return text;
};

const drop = (headers, names) => {
  if (names) for (const name of names.split("\n")) headers.delete(name);
};

const each = (text, put) => {
  const parts = text.split("\n");
  for (let i = 0; i + 1 < parts.length; i += 2) put(parts[i], parts[i + 1]);
};

export const readRequest = (request) => `${request.method}\n${request.url}\n${lines(request.headers)}`;

// The country and the number of the network, as far as Cloudflare knows them.
export const readPlace = ({ cf }) => `${cf?.country ?? ""}\n${cf?.asn ?? ""}`;

export const readResponse = (response) => `${response.status}\n${lines(response.headers)}`;

// With a request as the initializer, the copy has its method, headers, body stream and redirect mode. With a `service`, a
// binding to another Worker, that Worker gets it. A fetch ignores the signal of a client's request unless the compatibility
// flag `request_signal_passthrough` is set, and that flag would lead every response through one more stream.
export const fetchOnward = (url, request, dropped, set, options, service) => {
  const onward = new Request(url, request);
  const { headers } = onward;
  drop(headers, dropped);
  each(set, (name, value) => headers.set(name, value));
  const init = { ...options, signal: AbortSignal.any([request.signal]) };
  return service ? service.fetch(onward, init) : fetch(onward, init);
};

// With a response as the initializer, the copy has its status, headers, body encoding and WebSocket.
export const copyResponse = (response, body, dropped, added) => {
  const copy = new Response(body ?? response.body, response);
  const { headers } = copy;
  drop(headers, dropped);
  each(added, (name, value) => headers.append(name, value));
  return copy;
};

// The constructor takes longer to read headers. A string as the body has set the content type.
export const makeResponse = (status, body, set) => {
  const response = new Response(body, { status });
  const { headers } = response;
  each(set, (name, value) => headers.set(name, value));
  return response;
};

export const keepAlive = (context) => {
  let end;
  context.waitUntil(new Promise((resolve) => (end = resolve)));
  return end;
};
