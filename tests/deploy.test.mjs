// Deploying, as far as possible without an account: what `make deploy` would send, and what it refuses.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const root = path.resolve(import.meta.dirname, "..");
const example = "wrangler.production.example.toml";

// wrangler leaves files in the temporary folder and in the user's configuration folder.
const folder = mkdtempSync(path.join(os.tmpdir(), "sluicegate-deploy-"));
after(() => rmSync(folder, { recursive: true }));

function run(command, ...args) {
  const env = { ...process.env, TMPDIR: folder, XDG_CONFIG_HOME: folder };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8", env });
  return { status, text: stdout + stderr };
}

test("make deploy builds and bundles a production configuration", () => {
  const out = path.join(folder, "production");
  const { status, text } = run("make", "deploy", `CONFIG=${example}`, `ARGS=--dry-run --outdir ${out}`);
  assert.equal(status, 0, text);
  assert.match(text, /--dry-run: exiting now/);
  assert.match(text, /https:\/\/origin\.example\.com/);
  assert.doesNotMatch(text, /127\.0\.0\.1|localhost/);
  assert.ok(existsSync(path.join(out, "index.js")), text);
  assert.doesNotMatch(readFileSync(path.join(out, "index.js"), "utf8"), /127\.0\.0\.1/);
});

test("make deploy ENV= deploys and validates that environment", () => {
  // Next to the example, because its paths are relative.
  const config = path.join(root, `wrangler.production.${process.pid}.toml`);
  const environment = (name, timeout) => `
[env.${name}.vars]
ORIGIN = "https://${name}.example.com"
UPSTASH_REDIS_REST_URL = "https://${name}.upstash.io"

[env.${name}.vars.SLUICEGATE]
default_plan = "p"
timeout = "${timeout}"
plans.p.limits = [{ name = "burst", algorithm = "token_bucket", limit = 20, window = "10s" }]
`;
  try {
    const text = readFileSync(path.join(root, example), "utf8");
    writeFileSync(config, text + environment("staging", "250ms") + environment("broken", "soon"));
    const deploy = (name) => run("make", "deploy", `CONFIG=${config}`, `ENV=${name}`, "ARGS=--dry-run");

    const staging = deploy("staging");
    assert.equal(staging.status, 0, staging.text);
    assert.match(staging.text, /--dry-run: exiting now/);
    assert.match(staging.text, /https:\/\/staging\.example\.com/);
    assert.doesNotMatch(staging.text, /https:\/\/origin\.example\.com/);

    // Without a name, only the top level is validated and deployed.
    const top = deploy("");
    assert.equal(top.status, 0, top.text);
    assert.match(top.text, /https:\/\/origin\.example\.com/);

    const broken = deploy("broken");
    assert.notEqual(broken.status, 0);
    assert.match(broken.text, /timeout.*"soon"/);
    assert.doesNotMatch(broken.text, /--dry-run: exiting now/);
  } finally {
    rmSync(config, { force: true });
  }
});

test("make deploy bundles the file that SLUICEGATE_FILE names, and nothing else deploys it", () => {
  const name = `wrangler.production.${process.pid}.file.toml`;
  const [config, file] = [path.join(root, name), path.join(root, `sluicegate.${process.pid}.toml`)];
  const limits = (limit) => `default_plan = "p"\nplans.p.limits = [{ name = "l", algorithm = "sliding_log", limit = ${limit}, window = "1h" }]\n`;
  try {
    writeFileSync(config, `name = "w"
main = "build/worker/index.js"
compatibility_date = "2026-10-15"
build.command = "setup/build.sh production"
[vars]
ORIGIN = "https://origin.example.com"
UPSTASH_REDIS_REST_URL = "https://example.upstash.io"
SLUICEGATE_FILE = "${path.basename(file)}"
`);
    writeFileSync(file, limits(4711));
    const out = path.join(folder, "bundled");
    const { status, text } = run("make", "deploy", `CONFIG=${config}`, `ARGS=--dry-run --outdir ${out}`);
    assert.equal(status, 0, text);
    const worker = readFileSync(path.join(out, "index.js"), "utf8");
    assert.ok(worker.includes(path.basename(file)) && worker.includes("4711"), "the Worker contains the file");

    const alone = run("node_modules/.bin/node", "node_modules/.bin/wrangler", "deploy", "--dry-run", "--config", config);
    assert.notEqual(alone.status, 0);
    assert.match(alone.text, new RegExp(`names a file to bundle: .*${name} \\(deploy with: make deploy\\)`));

    writeFileSync(file, limits(0));
    const broken = run("make", "deploy", `CONFIG=${config}`, "ARGS=--dry-run");
    assert.notEqual(broken.status, 0);
    assert.match(broken.text, /plans\.p\.limits\[0\]\.limit: expected 1 to/);
  } finally {
    for (const written of [config, file]) rmSync(written, { force: true });
  }
});

test("the development configuration is never deployed", () => {
  for (const command of [["deploy"], ["versions", "upload"]]) {
    const { status, text } = run("node_modules/.bin/node", "node_modules/.bin/wrangler", ...command, "--dry-run");
    assert.notEqual(status, 0);
    assert.match(text, /this is the development configuration/);
  }
});

test("the error names a configuration that does not exist", () => {
  const { status, text } = run("make", "deploy", "CONFIG=nothing.toml", "ARGS=--dry-run");
  assert.notEqual(status, 0);
  assert.match(text, /nothing\.toml does not exist \(copy wrangler\.production\.example\.toml and edit it\)/);
});
