// Deploying, as far as it goes without an account: what `make deploy` would send, and what it refuses to.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const root = path.resolve(import.meta.dirname, "..");

function run(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return { status, text: stdout + stderr };
}

test("make deploy builds and bundles a production configuration", () => {
  const out = mkdtempSync(path.join(os.tmpdir(), "sluicegate-deploy-"));
  try {
    const { status, text } = run("make", "deploy", "CONFIG=wrangler.production.example.toml", `ARGS=--dry-run --outdir ${out}`);
    assert.equal(status, 0, text);
    assert.match(text, /--dry-run: exiting now/);
    assert.match(text, /https:\/\/origin\.example\.com/);
    assert.doesNotMatch(text, /127\.0\.0\.1|localhost/);
    assert.ok(existsSync(path.join(out, "index.js")), text);
    assert.doesNotMatch(readFileSync(path.join(out, "index.js"), "utf8"), /127\.0\.0\.1/);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test("the development configuration is never deployed", () => {
  for (const command of [["deploy"], ["versions", "upload"]]) {
    const { status, text } = run("node_modules/.bin/node", "node_modules/.bin/wrangler", ...command, "--dry-run");
    assert.notEqual(status, 0);
    assert.match(text, /this is the development configuration/);
  }
});

test("a configuration that does not exist is named", () => {
  const { status, text } = run("make", "deploy", "CONFIG=nothing.toml", "ARGS=--dry-run");
  assert.notEqual(status, 0);
  assert.match(text, /nothing\.toml does not exist \(copy wrangler\.production\.example\.toml and edit it\)/);
});
