// The library in Cloudflare Workers.

import * as workers from "cloudflare:workers";

import { initSync } from "../dist/gate.js";
import module from "../dist/gate_bg.wasm";
import { setWaitUntil } from "./glue.js";

initSync({ module });
// The runtime cancels what a request leaves behind unless it is told to wait.
setWaitUntil(workers.waitUntil);

export * from "./sluicegate.js";
