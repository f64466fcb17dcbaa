// What the program needs of Node.js. Errors have the words that Rust has for them on Linux.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export const readFile = (name) => inWords(() => readFileSync(name));
export const writeFile = (name, text) => inWords(() => writeFileSync(name, text));
export const environment = (name) => process.env[name];

/** Runs `npx wrangler`. A text is passed in a file that only this user can read. */
export function runWrangler(args, text) {
  const folder = text === undefined ? undefined : mkdtempSync(path.join(os.tmpdir(), "sluicegate-"));
  try {
    const more = [];
    if (folder) {
      const file = path.join(folder, "value");
      writeFileSync(file, text);
      more.push("--path", file);
    }
    const env = { ...process.env, WRANGLER_HIDE_BANNER: "true", WRANGLER_SEND_METRICS: "false" };
    const stdio = ["ignore", "pipe", "pipe"];
    const ran = spawnSync("npx", ["wrangler", ...args, ...more], { encoding: "utf8", env, stdio, maxBuffer: Infinity });
    if (ran.error) throw ran.error;
    return { success: ran.status === 0, stdout: ran.stdout, stderr: ran.stderr };
  } finally {
    if (folder) rmSync(folder, { recursive: true });
  }
}

/** Sends a request and reads the whole response. Headers are names and values in turn, in both directions. */
export async function exchange([method, url, words, body], milliseconds) {
  const headers = words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1]]] : []));
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal });
    return {
      status: response.status,
      headers: [...response.headers].flat(),
      body: new Uint8Array(await response.arrayBuffer()),
    };
  } catch (error) {
    // fetch says only that it failed.
    throw error.cause ?? error;
  }
}

function inWords(call) {
  try {
    return call();
  } catch (error) {
    if (error.errno === undefined) throw error;
    throw new Error(`${WORDS[error.code] ?? error.message} (os error ${-error.errno})`);
  }
}

const WORDS = {
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
};
