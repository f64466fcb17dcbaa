// Asks npm's registry for advisories about the production dependencies of a package.

import { cp, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { NotReached, output, run } from "./command.mjs";

/**
 * Throws an error if a production dependency of the package.json in a folder has an advisory.
 *
 * @param {string} folder
 * @param {string} name what it is
 */
export async function audit(folder, name) {
  const copy = await mkdtemp(path.join(os.tmpdir(), "sluicegate-audit-"));
  try {
    await cp(path.join(folder, "package.json"), path.join(copy, "package.json"));
    const lock = path.join(folder, "package-lock.json");
    if (existsSync(lock)) {
      await cp(lock, path.join(copy, "package-lock.json"));
    } else {
      // What a user who installs the package today gets.
      const install = ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"];
      await run(copy, "npm", ...install).catch((error) => {
        throw new NotReached(`npm cannot find the dependencies of ${name}: ${error.message.split("\n").at(-1)}`);
      });
    }
    checkReport(await output(copy, "npm", "audit", "--omit=dev", "--json"), name);
  } finally {
    await rm(copy, { recursive: true });
  }
}

/**
 * Throws an error if `npm audit --json` reports an advisory, or could not ask the registry.
 *
 * @param {string} text
 * @param {string} name what was asked about
 */
export function checkReport(text, name) {
  const { auditReportVersion, vulnerabilities, message, error } = JSON.parse(text);
  if (auditReportVersion === undefined) {
    // An object with a message is that of a failed request.
    if (message !== undefined) throw new NotReached(`npm's registry does not answer about the dependencies of ${name}: ${message}`);
    throw new Error(`npm audit failed for ${name}: ${error?.summary ?? text}`);
  }
  const found = Object.entries(vulnerabilities).map(([dependency, { severity }]) => `${dependency} (${severity})`);
  if (found.length > 0) throw new Error(`advisories about dependencies of ${name}: ${found.join(", ")} (see: npm audit --omit=dev)`);
}
