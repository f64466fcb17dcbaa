// Runs the Worker with a data set that logs its points, and with the place that Cloudflare would add to each request.

import worker from "./index.js";

const ANALYTICS = { writeDataPoint: (point) => console.log(`data point ${JSON.stringify(point)}`) };

export default {
  fetch: (request, env, context) =>
    worker.fetch(new Request(request, { cf: { colo: "FRA", country: "DE" } }), { ...env, ANALYTICS }, context),
};
