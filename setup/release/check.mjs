// Checks whether this commit can be released, with a line for each check: `make release-check` runs this.
//
// All checks are done even if one fails. With RELEASE_OFFLINE=1, a check that needs a service which cannot be reached counts
// as not done; without it, as failed.

import path from "node:path";
import { checks } from "./checks.mjs";
import { report } from "./report.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const success = await report(checks(root), { offline: process.env.RELEASE_OFFLINE === "1", print: console.log });
process.exit(success ? 0 : 1);
