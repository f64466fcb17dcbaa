// Asks npm's registry for advisories about dependencies.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { NotReached, output, run } from "./command.mjs";

/**
 * Throws an error if one of these dependencies, or what a user gets with them today, has an advisory.
 *
 * @param {Record<string, string>} dependencies their versions by name, as in package.json
 * @param {string} name what it is
 */
export async function audit(dependencies, name) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "sluicegate-audit-"));
  try {
    await writeFile(path.join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
    const install = ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"];
    await run(folder, "npm", ...install).catch((error) => {
      throw new NotReached(`npm cannot find the dependencies of ${name}: ${error.message.split("\n").at(-1)}`);
    });
    checkReport(await output(folder, "npm", "audit", "--json"), name);
  } finally {
    await rm(folder, { recursive: true });
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
  if (found.length > 0) throw new Error(`advisories about dependencies of ${name}: ${found.join(", ")} (see: npm audit)`);
}
