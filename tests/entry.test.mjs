// The entry of the Worker, around a WebAssembly module that is replaced here.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";

import { build } from "esbuild";

const root = path.resolve(import.meta.dirname, "..");

/** What worker-build exports: a class whose methods run WebAssembly. It notes what happens in `globalThis.seen`. */
const generated = `
  export default class Worker {
    constructor(ctx, env) { seen.push(["instance", ctx, env]); }
    fetch(event) { return run(event, this.env, this.ctx); }
    scheduled(event) { seen.push(["scheduled", event, this.env, this.ctx]); }
  }
`;

/** Loads the entry and returns it, with a function that delivers an error as the runtime does. */
async function load(run) {
  const listeners = [];
  Object.assign(globalThis, {
    seen: [],
    run,
    addEventListener: (_, listener) => listeners.push(listener),
    reportError: (error) => listeners.forEach((listener) => listener({ error })),
  });
  const replace = {
    name: "generated",
    setup(build) {
      build.onResolve({ filter: /index\.js$/ }, () => ({ path: "index.js", namespace: "generated" }));
      build.onResolve({ filter: /configuration\.js$/ }, () => ({ path: "configuration.js", namespace: "bundled" }));
      build.onLoad({ filter: /.*/, namespace: "bundled" }, () => ({ contents: 'export default { name: "a.toml" };' }));
      build.onLoad({ filter: /.*/, namespace: "generated" }, () => ({ contents: generated }));
    },
  };
  const entryPoints = [path.join(root, "src/edge/entry.js")];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: "esm", write: false, plugins: [replace] });
  const url = `data:text/javascript,${encodeURIComponent(outputFiles[0].text)}#${Math.random()}`;
  return (await import(url)).default;
}

test("events reach the module with their environment and context", async () => {
  const entry = await load((...received) => received);
  assert.deepEqual(entry.fetch("request", "env", "ctx"), ["request", "env", "ctx"]);
  entry.scheduled("event", "env", "ctx");
  assert.deepEqual(globalThis.seen, [["scheduled", "event", "env", "ctx"]]);
});

test("the module finds the bundled configuration", async () => {
  await load(() => {});
  assert.deepEqual(globalThis.sluicegateFile, { name: "a.toml" });
});

test("after a panic the next request starts a new instance, once", async () => {
  const entry = await load(() => "response");
  globalThis.reportError(new WebAssembly.RuntimeError("unreachable"));
  for (let i = 0; i < 3; i++) assert.equal(entry.fetch("request", "env", "ctx"), "response");
  assert.deepEqual(globalThis.seen, [["instance", "ctx", "env"]]);
});

test("a panic of the call itself is reported, other errors start no new instance", async () => {
  const errors = [new Error("refused"), new WebAssembly.RuntimeError("unreachable")];
  const entry = await load(() => {
    const error = errors.shift();
    if (error) throw error;
    return "response";
  });
  for (const instances of [0, 0, 1]) {
    const { length } = errors;
    const call = () => entry.fetch("request", "env", "ctx");
    if (length > 0) assert.throws(call);
    else assert.equal(call(), "response");
    assert.equal(globalThis.seen.length, instances);
  }
});
