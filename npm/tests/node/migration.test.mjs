// docs/migration.md: its two programs, as they are printed, side by side on one Redis.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { clock, redis, subject } from "./support.mjs";

const root = path.resolve(import.meta.dirname, "..", "..", "..");

/** Loads the programs of a section of the document, from a folder in which their imports are found. */
async function programs(t, section) {
  const text = await readFile(path.join(root, "docs/migration.md"), "utf8");
  const [, body] = text.split(`## ${section}\n`);
  const blocks = [...body.split("\n## ")[0].matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block);
  const folder = await mkdtemp(path.join(root, "npm/dist/migration-"));
  t.after(() => rm(folder, { recursive: true }));
  return Promise.all(blocks.map(async (block, i) => {
    const file = path.join(folder, `${i}.mjs`);
    await writeFile(file, block);
    assert.ok(block.trim().split("\n").length <= 10, block);
    return import(pathToFileURL(file));
  }));
}

test("before and after the migration the same requests are admitted", async (t) => {
  // The programs have their default timeouts, which a slow machine must not reach.
  clock(t);
  const [before, after] = await programs(t, "As a library");
  const [id, other] = [subject(), subject()];
  for (let i = 1; i <= 15; i++) {
    const [theirs, ours] = await Promise.all([before.limited(id), after.limited(id)]);
    assert.deepEqual([theirs?.status, ours?.status], i <= 10 ? [undefined, undefined] : [429, 429], `request ${i}`);
  }
  assert.deepEqual([await before.limited(other), await after.limited(other)], [undefined, undefined]);
  const keys = await redis("KEYS", `*${id.split(":")[1]}*`);
  assert.deepEqual(keys.map((key) => key.startsWith("sg:1:")).sort(), [false, true], "each has keys of its own");
});
