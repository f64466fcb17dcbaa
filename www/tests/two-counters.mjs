// Lets the npm package @upstash/ratelimit decide traces: JSON on stdin, [{ limit, window, times }], with instants in
// milliseconds. Prints for each request whether it is admitted, and the instant to which a client should wait:
// [[[success, reset], …], …]. The package's clock shows the instants. Redis is behind the bridge at SLUICEGATE_BRIDGE_URL.

import { text } from "node:stream/consumers";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";

const { SLUICEGATE_BRIDGE_URL: url, SLUICEGATE_BRIDGE_TOKEN: token } = process.env;
const redis = new Redis({ url, token, enableTelemetry: false });

const decided = [];
for (const [index, { limit, window, times }] of JSON.parse(await text(process.stdin)).entries()) {
  // Everything else is the default, so refusals are remembered in memory.
  const ratelimit = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(limit, `${window} ms`), prefix: `trace:${index}` });
  const answers = [];
  for (const time of times) {
    Date.now = () => time;
    const { success, reset } = await ratelimit.limit("client");
    answers.push([success, reset]);
  }
  decided.push(answers);
}
process.stdout.write(JSON.stringify(decided));
