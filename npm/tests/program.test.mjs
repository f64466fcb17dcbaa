// `npx sluicegate` and the native program print the same and exit with the same code.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { after, test } from "node:test";

import { root, temporary, unpack } from "./support.mjs";

const packaged = [process.execPath, path.join(unpack(), "bin/sluicegate.js")];
const native = [nativeProgram()];

/** Returns the path of the native program, and builds it unless `make test` already has. */
function nativeProgram() {
  if (process.env.SLUICEGATE_CLI) return process.env.SLUICEGATE_CLI;
  const args = ["build", "--locked", "--quiet", "-p", "sluicegate-cli", "--message-format=json"];
  const { status, stdout, stderr } = spawnSync("cargo", args, { cwd: root, encoding: "utf8", maxBuffer: Infinity });
  assert.equal(status, 0, stderr);
  const messages = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return messages.find(({ executable }) => executable).executable;
}

/** Runs a program with the same arguments in the same folder. */
function outcome([program, ...before], args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve) => {
    const own = { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
    execFile(program, [...before, ...args], { cwd, env: own, encoding: "utf8" }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

/** Asserts that both do the same, and returns it. */
async function same(args, options) {
  const [expected, found] = await Promise.all([native, packaged].map((program) => outcome(program, args, options)));
  assert.deepEqual(found, expected, args.join(" "));
  return found;
}

test("every configuration in the repository is judged alike", async () => {
  const examples = readdirSync(path.join(root, "examples")).filter((name) => name.endsWith(".toml"));
  const files = ["wrangler.toml", "wrangler.production.example.toml", "sluicegate.example.toml", "npm/template/wrangler.toml"];
  for (const file of [...files, ...examples.map((name) => `examples/${name}`)]) {
    assert.equal((await same(["validate", file])).code, 0, file);
    await same(["validate", file, "--json"]);
    await same(["validate", file, "--env", "staging"]);
  }
});

const limits = '[{ name = "l", algorithm = "sliding_log", limit = 10, window = "1h" }]';
const alone = `default_plan = "p"\nplans.p.limits = ${limits}\n`;
const vars = 'ORIGIN = "https://o.example.com"\nUPSTASH_REDIS_REST_URL = "https://r.example.com"\n';
const worker = (more) => `main = "w.js"\n[vars]\n${vars}${more}`;

test("broken configurations get the same messages", async () => {
  const folder = temporary();
  const broken = {
    "not.toml": "a = = 1",
    "not.json": '{ "a": 1, }}',
    "list.json": "[1]",
    "empty.toml": "",
    "unknown.toml": `${alone}colour = "red"\n`,
    "misspelt.toml": alone.replace("sliding_log", "sliding_lag"),
    "zero.toml": alone.replace("limit = 10", "limit = 0"),
    "window.toml": alone.replace("1h", "ten"),
    "plan.toml": alone.replace('"p"', '"q"'),
    "twice.json": '{"default_plan":"p","default_plan":"q","plans":{}}',
    "several.toml": `${alone}timeout = "0s"\nclock = "sun"\nroutes = [{ match = "a" }, { match = "GET /b", cost = -1 }]\n`,
    "control.toml": `${alone}"a\\u001b[31m" = 1\n`,
    "secret.toml": worker(`UPSTASH_REDIS_REST_TOKEN = "x"\n[vars.SLUICEGATE]\n${alone}`),
    "origin.toml": worker(`[vars.SLUICEGATE]\n${alone}`).replace("https://o", "htps://o"),
    "file.toml": worker('SLUICEGATE_FILE = "nowhere.toml"\n'),
    "folder.toml": worker('SLUICEGATE_FILE = "folder"\n'),
    "broken-file.toml": worker('SLUICEGATE_FILE = "zero.toml"\n'),
    "none.toml": worker(""),
    "environments.toml": `${worker(`[vars.SLUICEGATE]\n${alone}`)}[env.staging]\nname = "s"\n`,
    "bytes.toml": Buffer.from([0x61, 0xff]),
  };
  mkdirSync(path.join(folder, "folder"));
  for (const [name, text] of Object.entries(broken)) writeFileSync(path.join(folder, name), text);
  for (const name of [...Object.keys(broken), "nowhere.toml", "folder"]) {
    assert.notEqual((await same(["validate", name], { cwd: folder })).code, 0, name);
    await same(["--json", "validate", name], { cwd: folder });
  }
  await same(["validate"], { cwd: folder });
});

test("both write the same module to deploy", async () => {
  const folder = temporary();
  writeFileSync(path.join(folder, "limits.toml"), alone);
  writeFileSync(path.join(folder, "wrangler.toml"), worker('SLUICEGATE_FILE = "limits.toml"\n'));
  const modules = [];
  for (const [index, program] of [native, packaged].entries()) {
    const { code, stderr } = await outcome(program, ["validate", "--env", "", "--bundle", `${index}.js`], { cwd: folder });
    assert.equal(code, 0, stderr);
    modules.push(readFileSync(path.join(folder, `${index}.js`), "utf8"));
  }
  assert.match(modules[0], /^export default \{"name":"limits\.toml"/);
  assert.equal(modules[1], modules[0]);
  const unwritable = ["validate", "--env", "", "--bundle", "no/such/folder.js"];
  assert.equal((await same(unwritable, { cwd: folder })).code, 2);
});

test("requests are explained alike by a file", async () => {
  const folder = temporary();
  writeFileSync(path.join(folder, "body.json"), '{"max_tokens": 77}');
  writeFileSync(path.join(folder, "headers.txt"), "content-type: application/json\nx-api-key: sgk_acme_x\n");
  for (const example of ["wrangler.toml", "examples/llm.toml", "examples/tenants.toml", "examples/networks.toml"]) {
    const request = ["--config", path.join(root, example), "-H", "@headers.txt", "--body", "body.json", "--address", "203.0.113.7"];
    for (const [method, target] of [["GET", "/"], ["GET", "/status/200"], ["POST", "/v1/chat/completions?model=x"]]) {
      const { stdout } = await same(["explain", method, target, ...request], { cwd: folder });
      assert.match(stdout, /^1\. /m);
      await same(["explain", method, target, ...request, "--json"], { cwd: folder });
    }
  }
  for (const args of [["explain"], ["explain", "GET", "a", "--config", "no.toml"], ["explain", "GET", "/", "--plan", "p"]]) {
    assert.equal((await same(args, { cwd: folder })).code, 2);
  }
});

test("command lines are parsed alike", async () => {
  for (const args of [
    ["validate", "--help"],
    ["tenants", "create", "--help"],
    ["validate", "--bundle", "x"],
    ["validate", "--colour"],
    ["validate", "a", "b"],
    ["tenants", "create", "acme", "--limit", "burst"],
    ["tenants", "list"],
    ["doctor"],
    ["usage", "acme", "--url", "http://api.example.com"],
    ["completions", "tcsh"],
  ]) {
    await same(args);
  }
});

test("a Worker is asked the same, and its answers are shown alike", async () => {
  const seen = [];
  const server = createServer((request, response) => {
    const body = [];
    request.on("data", (piece) => body.push(piece)).on("end", () => {
      const { authorization, "user-agent": agent, "if-match": match, "content-type": type } = request.headers;
      seen.push([request.method, request.url, { authorization, agent, match, type }, Buffer.concat(body).toString()]);
      const [status, headers, text] = ANSWERS[path.basename(request.url)] ?? [404, {}, ""];
      response.writeHead(status, headers).end(text);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  const env = { SLUICEGATE_URL: url, SLUICEGATE_ADMIN_TOKEN: "a-token-of-the-admin-api" };
  for (const args of [
    ["tenants", "show", "acme"],
    ["tenants", "show", "acme", "--json"],
    ["tenants", "show", "moved"],
    ["tenants", "show", "nowhere"],
    ["tenants", "create", "taken", "--plan", "pro", "--limit", "burst=5:9"],
    ["tenants", "create", "taken", "--plan", "pro", "--json"],
    ["tenants", "update", "acme", "--plan", "pro", "--if-match", '"7"'],
    ["doctor"],
  ]) {
    seen.length = 0;
    await same(args, { env });
    assert.notEqual(seen.length, 0);
    // Each call twice: once from either program.
    for (const [call, calls] of Map.groupBy(seen, (call) => JSON.stringify(call))) assert.equal(calls.length, 2, call);
  }
});

const json = { "content-type": "application/json", etag: '"7"' };
const problem = { "content-type": "application/problem+json" };

/** By the last segment of the path. */
const ANSWERS = {
  acme: [200, json, JSON.stringify({ id: "acme", plan: "pro", status: "active", keys: [], overrides: { burst: { limit: 5 } } })],
  moved: [308, { location: "https://elsewhere.example.com/" }, ""],
  tenants: [
    409,
    problem,
    JSON.stringify({ type: "urn:sluicegate:problem:tenant-exists", title: "the tenant exists", status: 409, detail: "taken\u001b[31m" }),
  ],
  health: [200, json, JSON.stringify({ status: "ok", breaker: "closed" })],
  diagnosis: [401, problem, JSON.stringify({ type: "urn:sluicegate:problem:unauthorized", title: "no", status: 401 })],
};
