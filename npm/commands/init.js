// `sluicegate init`: writes the files of a new deployment into the current folder.

import { appendFileSync, copyFileSync, existsSync, readFileSync } from "node:fs";

import { Failure } from "./failure.js";
import { template, WRANGLER_FILES } from "./places.js";

/** Each file with its name in the template. `.gitignore` is not one of them: lines are added to it. */
const FILES = [
  ["wrangler.toml", "wrangler.toml"],
  [".dev.vars.example", "dev.vars"],
];
const IGNORED = ".gitignore";

/** Writes all files, or none if one would be replaced without `force`. Returns what to print. */
export function init({ force }) {
  // wrangler would take these instead of the new one.
  const other = WRANGLER_FILES.find((name) => name !== "wrangler.toml" && existsSync(name));
  if (other) {
    throw new Failure(`${other}: exists, and wrangler would use it instead of wrangler.toml (run this in a folder without it)`);
  }
  const existing = FILES.map(([name]) => name).filter((name) => existsSync(name));
  if (existing.length > 0 && !force) {
    throw new Failure(`${existing.join(" and ")}: already here (pass --force to replace)`);
  }
  for (const [name, source] of FILES) copyFileSync(template(source), name);
  const written = FILES.map(([name]) => name);
  if (ignore()) written.push(IGNORED);
  return `wrote ${written.join(", ")}\n${NEXT}`;
}

/** Adds the lines to .gitignore that it does not have. Returns whether there were any. */
function ignore() {
  const text = existsSync(IGNORED) ? readFileSync(IGNORED, "utf8") : "";
  const present = text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, ""));
  const lines = readFileSync(template("gitignore"), "utf8").trimEnd().split("\n");
  const missing = lines.filter((line) => !present.includes(line.replace(/\/$/, "")));
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  if (missing.length > 0) appendFileSync(IGNORED, `${gap}${missing.join("\n")}\n`);
  return missing.length > 0;
}

const NEXT = `
Try it on this machine, which needs redis-server:
  npx sluicegate dev

Deploy it:
  1. In wrangler.toml, set ORIGIN to your API and UPSTASH_REDIS_REST_URL to your Redis database, and choose your limits.
  2. npx sluicegate validate
  3. npx wrangler login
  4. npx wrangler secret put UPSTASH_REDIS_REST_TOKEN
     npx wrangler secret put SLUICEGATE_ADMIN_TOKEN     (a new one: openssl rand -hex 32)
  5. npx wrangler deploy
`;
