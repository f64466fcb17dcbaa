// From the tarball to a deployment and to a running Worker, in an empty folder: what the README shows, as it is written
// there.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parseEnv } from "node:util";

import { start } from "./running.mjs";
import { environment, root, run, tarball, temporary } from "./support.mjs";

const place = temporary();
const folder = path.join(place, "app");
mkdirSync(folder);
copyFileSync(tarball, path.join(folder, path.basename(tarball)));
const env = environment(place);

/** The lines of the first example of a section of the README. */
function example(heading) {
  const readme = readFileSync(path.join(root, "README.md"), "utf8");
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  return section.match(/^```\n(.*?)^```$/ms)[1].trim().split("\n");
}

/** Cuts off the network where the system lets everybody do so. Without that, npm is still told to use none. */
function offline(script) {
  const alone = run("unshare", ["-rn", "true"]).status === 0 ? ["unshare", "-rn"] : ["env"];
  const [command, ...args] = [...alone, "sh", "-e", "-c", script];
  return run(command, args, { cwd: folder, env: { ...env, PATH: `${env.PATH}:/usr/bin` } });
}

test("an empty folder needs three commands, Node.js, and neither Rust nor a network", (t) => {
  const begin = performance.now();
  const lines = example("Deploy in one minute");
  assert.equal(lines.length, 3);
  const { status, text } = offline(`if command -v cargo; then exit 9; fi\n${lines.join("\n")}`);
  assert.equal(status, 0, text);
  assert.match(text, /wrote wrangler\.toml/);
  assert.match(text, /--dry-run: exiting now/);
  assert.match(text, /https:\/\/origin\.example\.com/);
  assert.match(text, /env\.ASSETS/);
  t.diagnostic(`from the tarball to the dry run: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
});

test("a file with the limits is deployed with the Worker as the template says", () => {
  const template = readFileSync(path.join(folder, "wrangler.toml"), "utf8");
  const [before] = template.split("[vars.SLUICEGATE]\n");
  const [, vars] = before.match(/^(\[vars\]\n.*)$/ms);
  const config = `${before.replace(vars, "").replace(/^#(\[build\])\n#/m, "$1\n")}${vars}SLUICEGATE_FILE = "sluicegate.toml"\n`;
  writeFileSync(path.join(folder, "wrangler.toml"), config);
  const limits = (limit) =>
    writeFileSync(
      path.join(folder, "sluicegate.toml"),
      `default_plan = "p"\nplans.p.limits = [{ name = "l", algorithm = "sliding_log", limit = ${limit}, window = "1h" }]\n`,
    );
  try {
    limits(4711);
    const { status, text } = offline("npx wrangler deploy --dry-run --outdir out");
    assert.equal(status, 0, text);
    assert.match(readFileSync(path.join(folder, "out/index.js"), "utf8"), /sluicegate\.toml.*4711/s);

    limits(0);
    const broken = offline("npx wrangler deploy --dry-run");
    assert.notEqual(broken.status, 0);
    assert.match(broken.text, /plans\.p\.limits\[0\]\.limit: expected 1 to/);
  } finally {
    writeFileSync(path.join(folder, "wrangler.toml"), template);
  }
});

test("dev runs everything, answers with what is left of the quota, and leaves nothing behind", async () => {
  const stack = await start(folder, env);
  try {
    const response = await fetch(`${stack.url}/hello`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("ratelimit"), /^"burst";r=19;t=1$/);
    assert.equal((await fetch(`${stack.url}/health`)).headers.get("ratelimit"), null);
    for (const page of ["demo", "console"]) assert.equal((await fetch(`${stack.url}/_sluicegate/${page}/`)).status, 200, page);

    // With a database in .dev.vars, only the Worker is started.
    const other = path.join(place, "other");
    mkdirSync(other);
    for (const name of ["wrangler.toml", "package.json"]) copyFileSync(path.join(folder, name), path.join(other, name));
    const secrets = readFileSync(path.join(folder, ".dev.vars"), "utf8");
    const tenants = (url, ...args) => {
      const { SLUICEGATE_ADMIN_TOKEN } = parseEnv(secrets);
      const own = { ...env, SLUICEGATE_URL: url, SLUICEGATE_ADMIN_TOKEN };
      return run("npx", ["sluicegate", "tenants", ...args], { cwd: folder, env: own });
    };
    const created = tenants(stack.url, "create", "acme", "--plan", "pro");
    assert.equal(created.status, 0, created.text);
    writeFileSync(path.join(other, ".dev.vars"), `${secrets}UPSTASH_REDIS_REST_URL=${stack.bridge}\nORIGIN=${stack.origin}\n`);
    const worker = await start(other, env, path.join(folder, "node_modules"));
    try {
      assert.equal((await fetch(`${worker.url}/hello`)).status, 200);
      const shown = tenants(worker.url, "show", "acme");
      assert.match(shown.stdout, /^plan +pro$/m, shown.text);
    } finally {
      assert.deepEqual(await worker.stop(), []);
    }
  } finally {
    assert.deepEqual(await stack.stop(), []);
  }
  assert.deepEqual(readdirSync(env.TMPDIR).filter((name) => name.startsWith("sluicegate")), []);
});
