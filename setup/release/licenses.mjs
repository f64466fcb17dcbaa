// Writes THIRD-PARTY-LICENSES, the licenses of everything in what is shipped that is not ours: `make licenses` runs this.
//
// The crates and their texts are from cargo-about, which fails if a license is not in about.toml. The licenses of the
// npm packages must be in about.toml, too.

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BUNDLED, SHIPPED } from "./shipped.mjs";

/** @typedef {{id: string, text: string, users: string[]}} License */

/**
 * Returns the text of THIRD-PARTY-LICENSES: each license text once, with what is under it.
 *
 * @param {License[]} licenses
 */
export function render(licenses) {
  const sections = new Map();
  for (const { id, text, users } of licenses) {
    const key = normalized(text);
    const known = sections.get(key) ?? { ids: new Set(), users: new Set() };
    known.ids.add(id);
    users.forEach((user) => known.users.add(user));
    sections.set(key, known);
  }
  const rule = "#".repeat(80);
  const parts = [...sections].map(([text, { ids, users }]) => {
    const list = [...users].sort().map((user) => `  ${user}\n`);
    return `${rule}\n${[...ids].sort().join(", ")}\n\n${list.join("")}\n${text}\n`;
  });
  parts.sort();
  return `${HEADER}\n${parts.join("\n")}`;
}

/** Returns a text with the line breaks of Unix, without spaces at the end of lines and empty lines around. */
function normalized(text) {
  return text.replaceAll("\r\n", "\n").replace(/[ \t]+$/gm, "").replace(/^\n+|\s+$/g, "");
}

/** @returns {License[]} */
function crates(root, { manifest, features, targets }) {
  const about = ["about", "generate", "--format", "json", "--locked", "--offline", "--fail", "--manifest-path", manifest];
  about.push(...targets.flatMap((target) => ["--target", target]));
  if (features) about.push("--features", features);
  const { licenses } = JSON.parse(run(root, "cargo", about));
  return licenses.map(({ id, text, source_path: file, used_by: usedBy }) => {
    const users = usedBy.map(({ crate }) => `${crate.name} ${crate.version} (crate)`);
    // Without a file, the text is that of SPDX. Only that of Apache-2.0 names no holders of a copyright.
    if (!file && id !== "Apache-2.0") throw new Error(`no file with the license ${id} in ${users} (add a [….clarify] to about.toml)`);
    return { id, text, users };
  });
}

/** @returns {License[]} */
function standardLibrary(root) {
  const sysroot = run(root, "rustc", ["--print", "sysroot"]).trim();
  const [, version] = /^rustc (\S+)/.exec(run(root, "rustc", ["--version"]));
  // Of its two licenses, the first in about.toml.
  const text = readFileSync(path.join(sysroot, "share/doc/rust/licenses/Apache-2.0.txt"), "utf8");
  return [{ id: "Apache-2.0", text, users: [`the Rust standard library ${version}`] }];
}

/** @returns {License[]} */
export function npmPackages(root) {
  const [, list] = /^accepted = \[(.*)\]$/m.exec(readFileSync(path.join(root, "about.toml"), "utf8"));
  const accepted = JSON.parse(`[${list}]`);
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  return BUNDLED.map((name) => {
    const folder = `node_modules/${name}`;
    const { version, license, dependencies } = packages[folder];
    if (dependencies) throw new Error(`${name} ${version} has dependencies (add them to BUNDLED in shipped.mjs)`);
    if (!accepted.includes(license)) throw new Error(`${name} ${version} is under ${license}, which about.toml does not accept`);
    const file = readdirSync(path.join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} ${version} has no file with its license`);
    return { id: license, text: readFileSync(path.join(root, folder, file), "utf8"), users: [`${name} ${version} (npm)`] };
  });
}

function run(cwd, command, args) {
  return execFileSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1e9, stdio: ["ignore", "pipe", "pipe"] });
}

/** Returns the text that THIRD-PARTY-LICENSES should have. */
export function collect(root) {
  const targets = new Set(SHIPPED.flatMap(({ targets }) => targets));
  run(root, "cargo", ["fetch", "--locked", ...[...targets].flatMap((target) => ["--target", target])]);
  return render([...SHIPPED.flatMap((crate) => crates(root, crate)), ...standardLibrary(root), ...npmPackages(root)]);
}

const HEADER = `sluicegate is under the Apache License 2.0, see LICENSE. Its programs, the Worker, the pages and the library for
JavaScript contain the following packages of others, under these licenses. \`make licenses\` writes this file.
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.resolve(import.meta.dirname, "../..");
  writeFileSync(path.join(root, "THIRD-PARTY-LICENSES"), collect(root));
}
