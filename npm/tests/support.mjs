// What the tests of the npm package share: the tarball that `make package` has built, and a machine without Rust.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";

export const root = path.resolve(import.meta.dirname, "../..");
export const manifest = JSON.parse(readFileSync(path.join(root, "npm/package.json"), "utf8"));
export const tarball = path.join(root, "dist", `sluicegate-${manifest.version}.tgz`);

/** Returns a new folder that is removed after the tests. */
export function temporary() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "sluicegate-npm-"));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Unpacks the tarball and returns the folder of the package. Its dependencies are not there. */
export function unpack() {
  const folder = temporary();
  const { status, stderr } = spawnSync("tar", ["--extract", "--gzip", "--file", tarball, "--directory", folder], { encoding: "utf8" });
  assert.equal(status, 0, `${stderr} (run \`make package\` first)`);
  return path.join(folder, "package");
}

/** Runs a command until it ends. */
export function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", ...options });
  if (error) throw error;
  return { status, stdout, stderr, text: stdout + stderr };
}

/**
 * Returns the environment of a user who has Node.js, no Rust and no network for npm: only these programs are on the path.
 * Whatever they leave behind is in `folder`, but npm's cache is the one that `make package` has filled.
 */
export function environment(folder) {
  const [bin, home] = [path.join(folder, "bin"), path.join(folder, "home")];
  for (const made of [bin, home]) mkdirSync(made);
  for (const name of PROGRAMS) {
    const found = which(name);
    if (found) symlinkSync(found, path.join(bin, name));
  }
  // npm would leave its compile cache in the temporary folder.
  const cache = run("npm", ["config", "get", "cache"], { env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" } }).stdout.trim();
  return {
    HOME: home,
    PATH: bin,
    TMPDIR: home,
    WRANGLER_SEND_METRICS: "false",
    // What a refused connection would say, npm says at once.
    npm_config_offline: "true",
    npm_config_cache: cache,
    npm_config_update_notifier: "false",
  };
}

function which(name) {
  const folders = [path.join(root, "node_modules/.bin"), ...process.env.PATH.split(path.delimiter)];
  const found = folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
  return found && realpathSync(found);
}

/** The programs of a user without Rust, and those that every Unix has. */
const PROGRAMS = ["node", "npm", "npx", "redis-server", "sh", "sleep", "rm", "cat", "env"];
