// The library in Node.js 22 or newer, and in runtimes that read files as it does.

import { readFileSync } from "node:fs";

import { initSync } from "../dist/gate.js";

initSync({ module: readFileSync(new URL("../dist/gate_bg.wasm", import.meta.url)) });

export * from "./sluicegate.js";
