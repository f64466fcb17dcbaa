// The entry of the Worker. What worker-build exports makes an object with several proxies for each request, to start a new
// instance of the WebAssembly module after a panic. Here only a panic takes that way.

import file from "./configuration.js";
import Worker from "./index.js";

// The configuration, if it was bundled with the Worker; null if not.
globalThis.sluicegateFile = file;

const { fetch, scheduled } = Worker.prototype;
let hasPanicked = false;

// worker-build listens, too. A panic is an error of this type.
addEventListener("error", ({ error }) => {
  hasPanicked ||= error instanceof WebAssembly.RuntimeError;
});

const handler = (handle) => (event, env, ctx) => {
  if (hasPanicked) {
    hasPanicked = false;
    // Starts the new instance.
    new Worker(ctx, env);
  }
  try {
    return handle.call({ env, ctx }, event);
  } catch (error) {
    reportError(error);
    throw error;
  }
};

export default { fetch: handler(fetch), scheduled: handler(scheduled) };
