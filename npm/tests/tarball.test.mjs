// What is in the tarball.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { manifest, root, run, tarball, unpack } from "./support.mjs";

const platform = `${process.platform}-${process.arch}`;

/** Every file, and no other. */
const FILES = [
  "LICENSE",
  "README.md",
  "THIRD-PARTY-LICENSES",
  "assets/_headers",
  "assets/_sluicegate/console/icon.svg",
  "assets/_sluicegate/console/index.html",
  "assets/_sluicegate/console/main.js",
  "assets/_sluicegate/console/style.css",
  "assets/_sluicegate/demo/LICENSE.uplot.txt",
  "assets/_sluicegate/demo/compare-worker.js",
  "assets/_sluicegate/demo/icon.svg",
  "assets/_sluicegate/demo/index.html",
  "assets/_sluicegate/demo/main.js",
  "assets/_sluicegate/demo/sluicegate_www_bg.wasm",
  "assets/_sluicegate/demo/style.css",
  `bin/${platform}/sluicegate-devstack`,
  "bin/sluicegate.js",
  "commands/dev.js",
  "commands/failure.js",
  "commands/host.js",
  "commands/init.js",
  "commands/main.js",
  "commands/places.js",
  "dist/gate.js",
  "dist/gate_bg.wasm",
  "dist/tools.js",
  "dist/tools_bg.wasm",
  "index.d.ts",
  "lib/errors.js",
  "lib/glue.js",
  "lib/middleware.js",
  "lib/node.js",
  "lib/protect.js",
  "lib/sluicegate.js",
  "lib/tools.js",
  "lib/verdict.js",
  "lib/workerd.js",
  "package.json",
  "template/dev.vars",
  "template/gitignore",
  "template/wrangler.toml",
  "worker/configuration.js",
  "worker/index.js",
  "worker/index_bg.wasm",
];

const folder = unpack();
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => !entry.isDirectory())
  .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

test("the tarball has exactly the files that are needed", () => {
  assert.deepEqual(files.toSorted(), FILES.toSorted());
});

test("every user may read the files, and only programs can be executed", () => {
  for (const file of files) {
    const executable = file.startsWith("bin/");
    assert.equal(statSync(path.join(folder, file)).mode & 0o777, executable ? 0o755 : 0o644, file);
  }
});

test("no file names a path of the machine that built it", () => {
  const paths = [root, `${os.homedir()}/`, "/.cargo/", "/.rustup/", "/home/", "/Users/"].map((text) => Buffer.from(text));
  for (const file of files) {
    const bytes = readFileSync(path.join(folder, file));
    for (const found of paths) assert.equal(bytes.indexOf(found), -1, `${file} contains ${found}`);
  }
});

test("no entry tells who built it, or when", () => {
  const { stdout } = run("tar", ["--list", "--verbose", "--numeric-owner", "--full-time", "--file", tarball], {
    env: { ...process.env, TZ: "UTC" },
  });
  const seen = stdout.trimEnd().split("\n").map((line) => line.split(/\s+/));
  assert.equal(seen.length, FILES.length);
  for (const [, owner, , date, time] of seen) assert.deepEqual([owner, date, time], ["0/0", "1985-10-26", "08:15:00"]);
});

test("the versions agree with those of the repository", () => {
  const workspace = readFileSync(path.join(root, "Cargo.toml"), "utf8").match(/^version = "(.*)"$/m)[1];
  assert.equal(manifest.version, workspace);
  // The program behind `dev` reads what wrangler prints, so this is the version that all other tests use.
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  assert.equal(manifest.dependencies.wrangler, devDependencies.wrangler);
  assert.deepEqual(Object.keys(manifest.dependencies), ["wrangler"]);
});
