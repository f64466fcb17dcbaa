// The program behind `npx sluicegate`: the command line in Rust, as WebAssembly, and the commands that only this package has.

import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

import { initSync, run } from "../dist/tools.js";
import { dev } from "./dev.js";
import { Failure } from "./failure.js";
import { init } from "./init.js";

/** Runs a command line and sets the exit code. */
export async function main(args) {
  initSync({ module: readFileSync(new URL("../dist/tools_bg.wasm", import.meta.url)) });
  const { stdout, stderr, code, task } = await run(["sluicegate", ...args]);
  print(process.stdout, stdout);
  print(process.stderr, stderr);
  try {
    process.exitCode = task ? await execute(JSON.parse(task)) : code;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`sluicegate: ${error.message}`);
    process.exitCode = 2;
  }
}

function execute({ command, ...options }) {
  switch (command) {
    case "init":
      print(process.stdout, init(options));
      return 0;
    case "dev":
      return dev(options);
    default:
      throw new Error(`no command ${command}`);
  }
}

/** Writes a text, without styles where they would not show. The reader of a pipe may be gone: `npx sluicegate … | head`. */
function print(stream, text) {
  if (text === "") return;
  stream.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
  });
  stream.write(stream.isTTY && stream.hasColors() ? text : stripVTControlCharacters(text));
}
