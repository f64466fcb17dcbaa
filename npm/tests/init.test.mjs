// `npx sluicegate init`.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { run, temporary, unpack } from "./support.mjs";

const program = path.join(unpack(), "bin/sluicegate.js");
const parent = temporary();

/** Makes a folder with files, and returns what runs the program there and reads a file of it. */
function folderWith(files = {}) {
  const folder = path.join(parent, String(readdirSync(parent).length));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return {
    init: (...args) => run(process.execPath, [program, "init", ...args], { cwd: folder }),
    validate: () => run(process.execPath, [program, "validate"], { cwd: folder }),
    read: (name) => readFileSync(path.join(folder, name), "utf8"),
    names: () => readdirSync(folder).toSorted(),
  };
}

test("init writes a valid configuration and says what to do next", () => {
  const folder = folderWith();
  const { status, stdout, stderr } = folder.init();
  assert.equal(status, 0, stderr);
  assert.deepEqual(folder.names(), [".dev.vars.example", ".gitignore", "wrangler.toml"]);
  for (const name of folder.names()) assert.ok(stdout.includes(name), stdout);
  for (const next of ["npx sluicegate dev", "npx sluicegate validate", "secret put UPSTASH_REDIS_REST_TOKEN", "npx wrangler deploy"]) {
    assert.ok(stdout.includes(next), stdout);
  }
  const validation = folder.validate();
  assert.equal(validation.status, 0, validation.text);
  assert.match(validation.stdout, /^wrangler\.toml: valid, with the plans anonymous, pro$/m);
});

test("init replaces no file without --force, and then writes nothing at all", () => {
  for (const name of ["wrangler.toml", ".dev.vars.example"]) {
    const folder = folderWith({ [name]: "mine" });
    const refused = folder.init();
    assert.equal(refused.status, 2);
    assert.equal(refused.stderr, `sluicegate: ${name}: already here (pass --force to replace)\n`);
    assert.deepEqual(folder.names(), [name]);
    assert.equal(folder.read(name), "mine");

    assert.equal(folder.init("--force").status, 0);
    assert.notEqual(folder.read(name), "mine");
  }
});

test("init refuses a folder in which wrangler would use another file", () => {
  for (const name of ["wrangler.json", "wrangler.jsonc"]) {
    const folder = folderWith({ [name]: "{}" });
    const { status, stderr } = folder.init("--force");
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`^sluicegate: ${name}: exists, and wrangler would use it instead`));
    assert.deepEqual(folder.names(), [name]);
  }
});

test("init adds to .gitignore only what is missing", () => {
  const lines = "node_modules/\n.wrangler/\n.dev.vars\n";
  for (const [before, expected] of [
    ["", lines],
    ["mine", `mine\n${lines}`],
    ["/node_modules\n.dev.vars\n", "/node_modules\n.dev.vars\n.wrangler/\n"],
    [`# mine\r\n${lines}`, `# mine\r\n${lines}`],
  ]) {
    const folder = folderWith({ ".gitignore": before });
    assert.equal(folder.init().status, 0);
    assert.equal(folder.read(".gitignore"), expected);
    assert.equal(folder.init("--force").status, 0);
    assert.equal(folder.read(".gitignore"), expected);
  }
});
