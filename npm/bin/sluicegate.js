#!/usr/bin/env node
// The entry of `npx sluicegate`. It uses nothing that an old Node.js does not know, to be able to name the one it needs.

import { readFileSync } from "fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const needed = engines.node.replace(/^\D+/, "");
const found = process.versions.node;

const number = (version) => version.split(".").reduce((all, part) => all * 1000 + Number.parseInt(part, 10), 0);
if (number(found) < number(needed)) {
  console.error(`sluicegate: needs Node.js ${needed} or newer, found ${found} (install it from https://nodejs.org)`);
  process.exitCode = 2;
} else {
  import("../commands/main.js").then(({ main }) => main(process.argv.slice(2)));
}
