// No limiter: the cost of the runtime and the origin.

import { forward } from "./proxy.js";

export default {
  fetch: forward,
};
