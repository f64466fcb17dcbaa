// The commands that work offline, for Node. They are those of the command line, in wasm.

import { readFileSync } from "node:fs";

import { initSync, validate as run } from "../dist/tools.js";

initSync({ module: readFileSync(new URL("../dist/tools_bg.wasm", import.meta.url)) });

/**
 * Validates the text of a wrangler configuration, or of a configuration alone. It is JSON if the name ends in `.json` or
 * `.jsonc`, TOML otherwise.
 *
 * @param {string} text
 * @param {string} name The file's name, for messages.
 * @param {object} [options]
 * @param {string} [options.environment] Checks only this environment; "" is the top level of the file.
 * @param {(name: string) => string} [options.read] Returns the text of the file that `SLUICEGATE_FILE` names.
 * @returns {{ valid: boolean, text: string, json: object, modules: string[] }} What the command line prints, as text and as
 *   JSON; for each environment whose configuration was found, the module that is deployed with its Worker.
 */
export function validate(text, name, { environment, read = unreadable } = {}) {
  const found = run(name, text, environment, read);
  try {
    return { valid: found.valid, text: found.text, json: JSON.parse(found.json), modules: found.modules };
  } finally {
    found.free();
  }
}

function unreadable() {
  throw new Error("no function reads it");
}
