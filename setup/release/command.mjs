// Runs commands for the checks of a release.

import { spawn } from "node:child_process";

/** A service on the network could not be reached, so a check was not done. */
export class NotReached extends Error {}

/**
 * Runs a command and returns its standard output, or throws an error with the end of all its output if it fails.
 *
 * @param {string} cwd
 * @param {string} command
 * @param {...string} args
 */
export async function run(cwd, command, ...args) {
  const { code, stdout, all } = await ended(cwd, command, args);
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} failed:\n${lastLines(all)}`);
  return stdout;
}

/** Runs a command and returns its standard output, whatever its exit code. */
export async function output(cwd, command, ...args) {
  return (await ended(cwd, command, args)).stdout;
}

function ended(cwd, command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const [out, all] = [[], []];
    child.stdout.on("data", (bytes) => (out.push(bytes), all.push(bytes)));
    child.stderr.on("data", (bytes) => all.push(bytes));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: Buffer.concat(out).toString(), all: Buffer.concat(all).toString() }));
  });
}

function lastLines(text) {
  return text.trimEnd().split("\n").slice(-40).join("\n");
}
