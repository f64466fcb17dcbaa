// The checks of a release, in the order in which `make release-check` does them: the fast ones first.

import { readFileSync } from "node:fs";
import path from "node:path";
import { audit } from "./audit.mjs";
import { releaseDate } from "./changelog.mjs";
import { NotReached, output, run } from "./command.mjs";
import { collect } from "./licenses.mjs";
import { BUNDLED } from "./shipped.mjs";
import { agreed, places } from "./versions.mjs";

/** @typedef {{name: string, check: () => Promise<string>}} Check `check` returns what it found, or throws an error. */

/**
 * Returns the checks of the repository in a folder.
 *
 * @param {string} root
 * @returns {Check[]}
 */
export function checks(root) {
  const version = () => agreed(places(root));
  const cargoDeny = (...args) => run(root, "cargo", "deny", "--locked", "--log-level", "error", ...args);
  return [
    {
      name: "the versions agree",
      check: async () => `${version()} in ${places(root).length} places`,
    },
    {
      name: "the changelog has the version",
      check: async () => releaseDate(readFileSync(path.join(root, "CHANGELOG.md"), "utf8"), version(), today()),
    },
    {
      name: "the tree is clean",
      check: async () => {
        const changes = await output(root, "git", "status", "--porcelain");
        if (changes !== "") throw new Error(`changes that are not committed (commit or remove them):\n${changes.trimEnd()}`);
        return (await output(root, "git", "rev-parse", "--short", "HEAD")).trim();
      },
    },
    {
      name: "the tag is free",
      check: async () => {
        const tag = `v${version()}`;
        if ((await output(root, "git", "tag", "--list", tag)) !== "") throw new Error(`${tag} exists (set the next version in Cargo.toml)`);
        return tag;
      },
    },
    {
      name: "container and unit match the bridge",
      check: async () => {
        await run(root, "cargo", "test", "--quiet", "--locked", "-p", "sluicegate-bridge", "--test", "deployment");
        await run(root, "setup/hadolint.sh", "bridge/Dockerfile");
        return "bridge/Dockerfile, bridge/sluicegate-bridge.service";
      },
    },
    {
      name: "the licenses are collected",
      check: async () => {
        const file = "THIRD-PARTY-LICENSES";
        if (readFileSync(path.join(root, file), "utf8") !== collect(root)) throw new Error(`${file} is not up to date (run: make licenses)`);
        return file;
      },
    },
    {
      name: "cargo deny: licenses, bans, sources",
      check: async () => {
        await cargoDeny("check", "licenses", "bans", "sources");
        return "deny.toml";
      },
    },
    {
      name: "cargo deny: advisories",
      check: async () => {
        await cargoDeny("fetch", "db").catch((error) => {
          throw new NotReached(`the database of advisories cannot be fetched: ${error.message.split("\n").at(-1)}`);
        });
        await cargoDeny("check", "advisories");
        return "none";
      },
    },
    {
      name: "npm audit: production dependencies",
      check: async () => {
        const manifest = (folder) => JSON.parse(readFileSync(path.join(root, folder, "package.json"), "utf8"));
        const bundled = BUNDLED.map((name) => [name, manifest("").devDependencies[name]]);
        await audit(Object.fromEntries(bundled), "the pages");
        await audit(manifest("npm").dependencies, "the npm package");
        return "none";
      },
    },
    {
      name: "two builds are alike",
      check: async () => (await run(root, "setup/reproducible.sh")).trim(),
    },
  ];
}

function today() {
  return new Date().toISOString().slice(0, 10);
}
