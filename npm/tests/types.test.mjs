// The types of the library: the compiler accepts its examples in strict mode, and refuses each line that they mark.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const root = path.resolve(import.meta.dirname, "..", "..");

test("the examples compile in strict mode", async () => {
  const tsc = path.join(root, "node_modules/.bin/tsc");
  const ended = await promisify(execFile)(tsc, ["--project", path.join(import.meta.dirname, "types")]).catch((error) => error);
  assert.equal(ended.stdout, "");
});
