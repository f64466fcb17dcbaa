// No limiter at all: what the runtime and the origin cost.

import { forward } from "./proxy.js";

export default {
  fetch: forward,
};
