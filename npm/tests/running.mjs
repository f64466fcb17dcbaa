// Runs `npx sluicegate dev` as a terminal does.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";

/**
 * Starts it on free ports and waits until it is ready. `modules` is linked into the folder if it has none. `stop`
 * presses Ctrl-C and returns the command lines of all processes that are left.
 */
export async function start(folder, env, modules) {
  if (modules) symlinkSync(modules, path.join(folder, "node_modules"));
  const [PORT, REST_PORT, ORIGIN_PORT] = await freePorts(3);
  // Every process that it starts inherits this.
  const mark = `SLUICEGATE_TEST_RUN=${process.pid}-${PORT}`;
  const [name, value] = mark.split("=");
  const child = spawn("npx", ["sluicegate", "dev"], {
    cwd: folder,
    detached: true,
    env: { ...env, PORT, REST_PORT, ORIGIN_PORT, [name]: value },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const lines = [];
  const note = (line) => lines.push(line);
  createInterface(child.stderr).on("line", note);
  await new Promise((resolve, reject) => {
    createInterface(child.stdout)
      .on("line", note)
      .on("line", (line) => /^ready |Ready on /.test(line) && resolve());
    exited.then(() => reject(new Error(`ended before it was ready: ${lines.join("\n")}`)));
  });
  return {
    url: `http://127.0.0.1:${PORT}`,
    bridge: `http://127.0.0.1:${REST_PORT}`,
    origin: `http://127.0.0.1:${ORIGIN_PORT}`,
    async stop() {
      assert.notEqual(processes(mark).length, 0);
      process.kill(-child.pid, "SIGINT");
      await exited;
      assert.doesNotMatch(lines.join("\n"), /panicked|orphan/);
      return processes(mark);
    },
  };
}

/** Returns the command lines of the processes with this in their environment. */
function processes(mark) {
  const read = (id, file) => {
    try {
      return readFileSync(`/proc/${id}/${file}`, "utf8").split("\0");
    } catch {
      // It has ended, or is another user's.
      return [];
    }
  };
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.filter((id) => read(id, "environ").includes(mark)).map((id) => read(id, "cmdline").join(" "));
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
