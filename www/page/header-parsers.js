// The core's header code, as wasm: the parsers that the rest of the page is given.

import init, { parseLimits, parsePolicy } from "sluicegate-www";

/** Loads the wasm and returns `{ policy(value), limits(value) }`: lists of plain objects; they throw on nonsense. */
export async function loadParsers() {
  await init({ module_or_path: new URL("sluicegate_www_bg.wasm", import.meta.url) });
  return {
    policy: (value) =>
      parsePolicy(value).map((item) => {
        const { name, quota, unit = null, window = null, burst = null, shadow, text } = item;
        item.free();
        return { name, quota, unit, window, burst, shadow, text };
      }),
    limits: (value) =>
      parseLimits(value).map((item) => {
        const { name, remaining, reset = null, text } = item;
        item.free();
        return { name, remaining, reset, text };
      }),
  };
}
