// What `npx sluicegate` says if something that it needs is missing.

import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import path from "node:path";
import { after, test } from "node:test";

import { environment, manifest, root, run, temporary, unpack } from "./support.mjs";

const folder = unpack();
const program = path.join(folder, "bin/sluicegate.js");
const modules = path.join(folder, "node_modules");
symlinkSync(path.join(root, "node_modules"), modules);

/** Runs a command line in a new folder that has these files. */
function sluicegate(args, { files = {}, node = [], env = {} } = {}) {
  const place = temporary();
  const cwd = path.join(place, "app");
  mkdirSync(cwd);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(cwd, name), text);
  return run(process.execPath, [...node, program, ...args], { cwd, env: { ...environment(place), ...env } });
}

const files = { "wrangler.toml": 'name = "w"\n' };

test("an old Node.js is told which one is needed", () => {
  const old = "data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '18.20.8' })";
  const { status, stderr } = sluicegate(["--version"], { node: ["--import", old] });
  assert.equal(status, 2);
  assert.equal(stderr, "sluicegate: needs Node.js 22.0.0 or newer, found 18.20.8 (install it from https://nodejs.org)\n");
});

test("dev names a missing configuration", () => {
  const none = sluicegate(["dev"]);
  assert.equal(none.status, 2);
  assert.equal(none.stderr, "sluicegate: no wrangler.toml in this folder (run `npx sluicegate init` first)\n");
  const other = sluicegate(["dev", "--config", "other.toml"], { files });
  assert.equal(other.status, 2);
  assert.equal(other.stderr, "sluicegate: other.toml does not exist (name a wrangler configuration with --config)\n");
});

test("dev names a missing redis-server", () => {
  const { status, stderr } = sluicegate(["dev"], { files, env: { SLUICEGATE_REDIS_SERVER: "/nowhere/redis-server" } });
  assert.equal(status, 1);
  assert.match(stderr, /\/nowhere\/redis-server not found \(install the package redis-server, or name the program in SLUICEGATE_REDIS_SERVER\)/);
});

test("dev names a port that is taken, and what chooses another", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  const { port } = server.address();
  for (const [args, env, setting] of [
    [["--port", String(port)], {}, "PORT"],
    [[], { ORIGIN_PORT: String(port) }, "ORIGIN_PORT"],
  ]) {
    const ports = { PORT: "0", REST_PORT: "0", ORIGIN_PORT: "0", ...env };
    const { status, stderr } = sluicegate(["dev", ...args], { files, env: ports });
    assert.equal(status, 1);
    assert.equal(stderr, `port ${port} is taken (set ${setting}= to another one)\n`);
  }
});

test("dev names what is not in the package", () => {
  rmSync(modules);
  const missing = sluicegate(["dev"], { files });
  symlinkSync(path.join(root, "node_modules"), modules);
  assert.equal(missing.status, 2);
  assert.equal(missing.stderr, "sluicegate: wrangler is not installed (run `npm install` again)\n");

  const platform = `${process.platform}-${process.arch}`;
  const [here, elsewhere] = [platform, "elsewhere"].map((name) => path.join(folder, "bin", name));
  renameSync(here, elsewhere);
  const other = sluicegate(["dev"], { files });
  renameSync(elsewhere, here);
  assert.equal(other.status, 2);
  assert.match(other.stderr, new RegExp(`^sluicegate: this package has no Redis bridge for ${platform} \\(write UPSTASH_REDIS_REST_URL and `));
});

test("help and version are those of the package", () => {
  assert.equal(sluicegate(["--version"]).stdout, `sluicegate ${manifest.version}\n`);
  const { status, stdout } = sluicegate(["--help"]);
  assert.equal(status, 0);
  for (const command of ["init", "dev", "validate", "tenants", "doctor"]) assert.match(stdout, new RegExp(`^  ${command} `, "m"));
  const unknown = sluicegate(["initialize"]);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /unrecognized subcommand 'initialize'/);
});
