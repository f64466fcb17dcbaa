// Where the parts of this package are, and what it finds in the user's folder.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { Failure } from "./failure.js";

const PACKAGE = path.resolve(import.meta.dirname, "..");

/** The files that `init` copies. */
export const template = (name) => path.join(PACKAGE, "template", name);

/** The files that wrangler looks for, in its order. */
export const WRANGLER_FILES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** Returns the program that runs Redis, the bridge, the demo origin and the Worker; null if it was not built for this platform. */
export function stackProgram() {
  const program = path.join(PACKAGE, "bin", platform(), "sluicegate-devstack");
  return existsSync(program) ? program : null;
}

export const platform = () => `${process.platform}-${process.arch}`;

/** Returns the script that runs the wrangler of this package. */
export function wrangler() {
  let manifest;
  try {
    manifest = createRequire(path.join(PACKAGE, "package.json")).resolve("wrangler/package.json");
  } catch {
    throw new Failure("wrangler is not installed (run `npm install` again)");
  }
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  return path.join(path.dirname(manifest), bin.wrangler);
}
