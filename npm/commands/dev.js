// `sluicegate dev`: runs the Worker on this machine, with everything that it talks to.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import { parseEnv } from "node:util";

import { Failure } from "./failure.js";
import { platform, stackProgram, wrangler, WRANGLER_FILES } from "./places.js";

const SECRETS = ".dev.vars";

const REMEDY =
  "write UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN of a database at Upstash into .dev.vars: then no bridge is needed";

/** Runs until Ctrl-C or until a part dies. Resolves to the exit code. */
export async function dev({ config, port, restPort, originPort }) {
  const file = config ?? WRANGLER_FILES.find((name) => existsSync(name));
  if (!file) throw new Failure("no wrangler.toml in this folder (run `npx sluicegate init` first)");
  if (!existsSync(file)) throw new Failure(`${file} does not exist (name a wrangler configuration with --config)`);

  const secrets = existsSync(SECRETS) ? parseEnv(readFileSync(SECRETS, "utf8")) : {};
  if (secrets.UPSTASH_REDIS_REST_URL) {
    console.log(`redis   ${secrets.UPSTASH_REDIS_REST_URL} (from ${SECRETS})`);
    const address = ["--ip", "127.0.0.1", "--port", String(port ?? process.env.PORT ?? 8787)];
    return run(process.execPath, [wrangler(), "dev", "--config", file, ...address], { WRANGLER_SEND_METRICS: "false" });
  }

  const program = stackProgram();
  if (!program) throw new Failure(`this package has no Redis bridge for ${platform()} (${REMEDY})`);
  const ports = Object.entries({ port, "rest-port": restPort, "origin-port": originPort });
  const chosen = ports.flatMap(([name, number]) => (number === null ? [] : [`--${name}`, String(number)]));
  return run(program, ["--config", file, "--wrangler", wrangler(), ...chosen]);
}

/** Runs a program until it ends. Ctrl-C in a terminal reaches it, too; other signals are passed on. */
function run(program, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, ...environment } });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => {
        if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
      });
    }
    // ENOENT: the system has another C library than the one on which the program was built.
    child.on("error", (error) => reject(new Failure(`${program}: cannot be run: ${error.code} (${REMEDY})`)));
    child.on("exit", (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  });
}
