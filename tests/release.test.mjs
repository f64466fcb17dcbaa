// What `make release-check` checks without tools of its own, and that its checks can fail.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { checkReport } from "../setup/release/audit.mjs";
import { releaseDate, sections } from "../setup/release/changelog.mjs";
import { NotReached, run } from "../setup/release/command.mjs";
import { npmPackages, render } from "../setup/release/licenses.mjs";
import { report } from "../setup/release/report.mjs";
import { shippedCrates } from "../setup/release/shipped.mjs";
import { agreed, artefacts, places } from "../setup/release/versions.mjs";

const root = path.resolve(import.meta.dirname, "..");
const read = (file) => readFileSync(path.join(root, file), "utf8");

test("the versions agree", () => {
  const found = places(root);
  assert.ok(found.length >= 8, "the test finds the places");
  assert.match(agreed(found), /^\d+\.\d+\.\d+$/);
});

test("a different version is named with its place", () => {
  const found = [{ where: "a", version: "1.0.0" }, { where: "b", version: "1.0.0" }, { where: "c", version: "1.0.1" }];
  assert.throws(() => agreed(found), /^Error: a has 1\.0\.0, but c has 1\.0\.1$/);
  assert.deepEqual(artefacts("sluicegate-1.2.3.tgz, sluicegate-bridge-1.2.4-x86_64.tar.gz, sluicegate-cli"), ["1.2.3", "1.2.4"]);
});

test("the description of the API has the version that is in its paths", () => {
  const { info, servers } = JSON.parse(read("src/admin/openapi.json"));
  assert.deepEqual(servers.map(({ url }) => url), [`/_sluicegate/v${info.version}`]);
});

test("the tools of the repository have no version of their own", () => {
  const { private: isPrivate, version } = JSON.parse(read("package.json"));
  assert.deepEqual([isPrivate, version], [true, undefined]);
});

test("the changelog has the version, or changes that are not released", () => {
  const [{ version }] = sections(read("CHANGELOG.md"));
  assert.ok(version === null || version === agreed(places(root)), version);
});

test("a changelog has sections with dates, the newest first", () => {
  const released = "# Changelog\n\n## 1.10.0 - 2026-02-28\n\n### Fixed\n\n## 1.9.0 - 2026-02-28\n";
  assert.deepEqual(sections(released), [{ version: "1.10.0", date: "2026-02-28" }, { version: "1.9.0", date: "2026-02-28" }]);
  assert.equal(sections("## Unreleased\n" + released).length, 3);
  for (const [text, error] of [
    ["# Changelog\n", /no section/],
    ["## 1.0.0\n", /unexpected heading: 1\.0\.0 \(write «X\.Y\.Z - YYYY-MM-DD»/],
    ["## 1.0.0 - 2026-02-30\n", /unexpected heading/],
    [released + "## Unreleased\n", /unexpected heading: Unreleased/],
    ["## 1.9.0 - 2026-03-01\n" + released, /1\.9\.0 is above 1\.10\.0/],
    ["## 2.0.0 - 2026-02-27\n" + released, /2\.0\.0 is of 2026-02-27, before 1\.10\.0/],
  ]) {
    assert.throws(() => sections(text), error);
  }
});

test("a release needs its version and a date in the changelog", () => {
  const text = "## 1.0.0 - 2026-02-28\n";
  assert.equal(releaseDate(text, "1.0.0", "2026-02-28"), "2026-02-28");
  assert.throws(() => releaseDate(text, "1.0.0", "2026-02-27"), /after today/);
  assert.throws(() => releaseDate(text, "1.1.0", "2026-03-01"), /newest version is 1\.0\.0, not 1\.1\.0 \(write «## 1\.1\.0 - 2026-03-01»/);
  assert.throws(() => releaseDate(`## Unreleased\n\n${text}`, "1.1.0", "2026-03-01"), /«Unreleased», not 1\.1\.0/);
});

test("every check is done and has a line", async () => {
  const lines = [];
  const fail = (error) => async () => Promise.reject(error);
  const checks = [
    { name: "a", check: async () => "fine" },
    { name: "b", check: fail(new NotReached("no network")) },
    { name: "c", check: fail(new Error("broken\nhere")) },
    { name: "d", check: async () => "also fine" },
  ];
  const done = (offline, checks) => report(checks, { offline, print: (line) => lines.push(line) });

  assert.equal(await done(false, checks), false);
  assert.deepEqual(lines, [
    "ok        a: fine",
    "FAILED    b: no network (RELEASE_OFFLINE=1 releases without this check)",
    "FAILED    c: broken\n          here",
    "ok        d: also fine",
    "2 ok, 0 not done, 2 failed",
  ]);
  lines.length = 0;
  assert.equal(await done(true, checks), false);
  assert.equal(await done(true, checks.slice(0, 2)), true);
  assert.deepEqual(lines.slice(-3), ["ok        a: fine", "NOT DONE  b: no network", "1 ok, 1 not done, 0 failed"]);
});

test("a command that fails shows what it printed", async () => {
  assert.equal(await run(root, "node", "-p", "1 + 1"), "2\n");
  await assert.rejects(run(root, "node", "-e", "console.error('why'); process.exit(3)"), /^Error: node -e .* failed:\nwhy$/s);
});

test("an audit without an answer is not a good one", () => {
  const found = { auditReportVersion: 2, vulnerabilities: { left: { severity: "high" } } };
  assert.throws(() => checkReport(JSON.stringify(found), "the pages"), /about dependencies of the pages: left \(high\)/);
  checkReport(JSON.stringify({ auditReportVersion: 2, vulnerabilities: {} }), "the pages");
  assert.throws(() => checkReport(JSON.stringify({ message: "405" }), "the pages"), NotReached);
  const noLock = { error: { code: "ENOLOCK", summary: "no lock" } };
  assert.throws(() => checkReport(JSON.stringify(noLock), "the pages"), (error) => !(error instanceof NotReached) && /no lock/.test(error.message));
});

test("a license text is written once, with all that is under it", () => {
  const text = render([
    { id: "MIT", text: "\r\nSame  \r\ntext\r\n\r\n", users: ["b 1"] },
    { id: "MIT", text: "Same\ntext", users: ["a 1", "b 1"] },
    { id: "Apache-2.0", text: "Other", users: ["c 1"] },
    { id: "ISC", text: "Several", users: ["d 1"] },
    { id: "BSD-3-Clause", text: "Several", users: ["d 1"] },
  ]);
  const rule = "#".repeat(80);
  const sections = [
    "Apache-2.0\n\n  c 1\n\nOther\n",
    "BSD-3-Clause, ISC\n\n  d 1\n\nSeveral\n",
    "MIT\n\n  a 1\n  b 1\n\nSame\ntext\n",
  ];
  assert.ok(text.endsWith(sections.map((section) => `\n${rule}\n${section}`).join("")), text);
});

test("THIRD-PARTY-LICENSES has everything that is shipped", () => {
  const users = new Set([...read("THIRD-PARTY-LICENSES").matchAll(/^ {2}(\S.*)$/gm)].map(([, user]) => user));
  const crates = shippedCrates(root).map((crate) => `${crate} (crate)`);
  assert.ok(crates.length > 100, "the test finds the crates");
  const packages = npmPackages(root).flatMap(({ users }) => users);
  assert.ok(packages.length > 0, "the test finds the npm packages");
  const missing = [...crates, ...packages].filter((user) => !users.has(user));
  assert.deepEqual(missing, [], "run: make licenses");
});

test("the same permissive licenses are accepted everywhere", () => {
  const list = (file, name) => JSON.parse(new RegExp(`^${name} = (\\[.*\\])$`, "m").exec(read(file))[1]);
  const accepted = list("about.toml", "accepted");
  assert.deepEqual(list("deny.toml", "allow"), accepted);
  const copyleft = /GPL|MPL|EPL|CDDL|SSPL|BUSL/;
  const headings = [...read("THIRD-PARTY-LICENSES").matchAll(/^#{80}\n(.*)$/gm)].flatMap(([, ids]) => ids.split(", "));
  assert.ok(headings.length > 10, "the test reads the headings");
  for (const id of [...accepted, ...headings]) assert.doesNotMatch(id, copyleft);
  assert.deepEqual(headings.filter((id) => !accepted.includes(id)), []);
});
