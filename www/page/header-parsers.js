// The header parsers of the core, compiled to wasm.

import init, { parseLimits, parsePolicy } from "sluicegate-www";

/**
 * Loads the wasm. Returns `{ policy(value), limits(value) }`, which return lists of plain objects and throw on
 * invalid input.
 */
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
