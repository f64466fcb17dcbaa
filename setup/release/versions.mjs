// Finds every place in the repository that has the version of sluicegate.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";

/** @typedef {{where: string, version: string}} Place */

/**
 * Returns the version that all places agree on, or throws an error that names those that differ from Cargo.toml.
 *
 * @param {Place[]} places the first one is the one that counts
 */
export function agreed([source, ...others]) {
  const different = others.filter(({ version }) => version !== source.version);
  if (different.length > 0) {
    const list = different.map(({ where, version }) => `${where} has ${version}`).join(", ");
    throw new Error(`${source.where} has ${source.version}, but ${list}`);
  }
  return source.version;
}

/**
 * Returns all places that have the version, that of the workspace first.
 *
 * @param {string} root the folder of the repository
 * @returns {Place[]}
 */
export function places(root) {
  const read = (file) => readFileSync(path.join(root, file), "utf8");
  const cargo = ["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"];
  const { packages } = JSON.parse(execFileSync("cargo", cargo, { cwd: root, encoding: "utf8", maxBuffer: 1e8 }));
  const crates = packages.map(({ name, version, manifest_path: manifest }) => ({
    where: `${path.relative(root, manifest)} (${name})`,
    version,
  }));
  const inDocs = readdirSync(path.join(root, "docs")).filter((name) => name.endsWith(".md")).sort();
  const documents = ["README.md", ...inDocs.map((name) => `docs/${name}`)];
  const first = ({ where }) => (where.startsWith("Cargo.toml") ? 0 : 1);
  return [
    ...crates.sort((a, b) => first(a) - first(b)),
    { where: "npm/package.json", version: JSON.parse(read("npm/package.json")).version },
    ...documents.flatMap((where) => artefacts(read(where)).map((version) => ({ where, version }))),
  ];
}

/**
 * Returns the versions in the names of artefacts that a text mentions: `sluicegate-1.2.3.tgz`.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function artefacts(text) {
  return [...text.matchAll(/\bsluicegate(?:-bridge)?-(\d+\.\d+\.\d+)\b/g)].map(([, version]) => version);
}
