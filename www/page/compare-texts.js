// What the Compare view says about kinds of traffic and limiters. Pure.

import { number } from "./format.js";

/** The kinds of traffic: the name in a link, the demand in percent of the limit that shows it best, and texts. */
export const PRESETS = [
  {
    name: "steady",
    label: "Steady",
    demand: 120,
    lesson: "Requests come evenly, a little more than the limit allows. Every algorithm of sluicegate gives out the whole quota. A refusal that blocks until the window ends does not.",
  },
  {
    name: "bursty",
    label: "Bursty",
    demand: 100,
    lesson: "Bursts of random sizes come at random times. See how much of each burst passes, and what that adds up to within one window.",
  },
  {
    name: "boundary",
    label: "Boundary attack",
    demand: 100,
    lesson: "An attacker uses the whole limit just before a window ends, and again in the next window. The exact log counts both together; two windows, or a bucket that refills, do not.",
  },
  {
    name: "herd",
    label: "Thundering herd",
    demand: 100,
    lesson: "All clients come at the same moment, twice as many as the limit allows. A burst below the limit, or a limit for requests in flight, protects what is behind.",
  },
  {
    name: "patient",
    label: "Retries as told",
    demand: 150,
    lesson: "A refused client waits exactly as long as the limiter says, then retries. The sooner the limiter can say “now”, the shorter the wait.",
  },
  {
    name: "impatient",
    label: "Retries at will",
    demand: 200,
    lesson: "A refused client ignores what it is told and keeps its own pace. Refusals cost no quota here, so it does not starve itself.",
  },
];

/** The limiters, in the order of the page. `live` is whether a Worker can run it. */
export const MODELS = [
  { name: "sliding_log", live: true, promise: () => "Exact: it remembers every admission. Never more than the limit in any window." },
  { name: "sliding_window", live: true, promise: () => "Two counters, the older one weighted. Close to the log, in constant size." },
  { name: "fixed_window", live: true, promise: () => "Starts afresh with each window. Across a boundary, up to twice the limit." },
  { name: "token_bucket", live: true, promise: ({ limit, burst }) => `Refills continuously, up to the burst. At most limit + burst: ${number(limit + burst)}.` },
  { name: "concurrency", live: true, promise: ({ places }) => `At most ${number(places)} in flight. It bounds the work at a time, not the rate.` },
  { name: "two_counters", live: false, promise: () => "Not sluicegate: two counters, and a refusal blocks until the window ends." },
];
