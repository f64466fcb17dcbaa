// What is shipped: the crates that become a program or WebAssembly, and the npm packages in the bundles of the pages.

import { execFileSync } from "node:child_process";

const MACHINES = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"];
const WASM = ["wasm32-unknown-unknown"];

/** The manifest and the features of each, and where it runs. */
export const SHIPPED = [
  { manifest: "bridge/Cargo.toml", features: null, targets: MACHINES },
  { manifest: "cli/Cargo.toml", features: null, targets: MACHINES },
  { manifest: "devstack/Cargo.toml", features: null, targets: MACHINES },
  { manifest: "Cargo.toml", features: "edge", targets: WASM },
  { manifest: "npm/Cargo.toml", features: null, targets: WASM },
  { manifest: "www/Cargo.toml", features: null, targets: WASM },
];

/**
 * The npm packages in the bundles of the pages. They are no `dependencies` in package.json: wasm-bindgen takes these for
 * dependencies of the Worker.
 */
export const BUNDLED = ["uplot"];

/**
 * Returns the crates of others in what is shipped, each as `NAME VERSION`. Without procedural macros, which run at compile
 * time only.
 *
 * @param {string} root the folder of the repository
 * @returns {string[]}
 */
export function shippedCrates(root) {
  const found = new Set();
  for (const { manifest, features, targets } of SHIPPED) {
    const tree = ["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
    tree.push("--manifest-path", manifest, ...targets.flatMap((target) => ["--target", target]));
    if (features) tree.push("--features", features);
    const lines = execFileSync("cargo", tree, { cwd: root, encoding: "utf8", maxBuffer: 1e8 }).split("\n");
    for (const [, name, version, rest] of lines.map((line) => /^(\S+) v(\S+)(.*)$/.exec(line)).filter(Boolean)) {
      // The members of the workspace are followed by their folder.
      if (!rest.includes("(/")) found.add(`${name} ${version}`);
    }
  }
  return [...found].sort();
}
