// Bundles the demo page: node www/build.mjs WASM OUT
//
// WASM is the output folder of wasm-bindgen (--target web). OUT is the root of the Worker's static assets.
// Writes the page to OUT/_sluicegate/demo/, and prints the size of each file, plain and gzipped.

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const [wasm, out] = process.argv.slice(2);
if (out === undefined) {
  console.error("usage: node www/build.mjs WASM OUT");
  process.exit(2);
}
const page = path.join(path.dirname(fileURLToPath(import.meta.url)), "page");
const target = path.join(out, "_sluicegate", "demo");

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await build({
  entryPoints: ["main.js", "compare-worker.js", "style.css"].map((name) => path.join(page, name)),
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  logLevel: "warning",
  alias: { "sluicegate-www": path.resolve(wasm, "sluicegate_www.js") },
});
for (const name of ["index.html", "icon.svg"]) await cp(path.join(page, name), path.join(target, name));
// The minified bundle does not contain the license notice of uPlot.
await cp(path.join(path.dirname(fileURLToPath(import.meta.resolve("uplot/package.json"))), "LICENSE"), path.join(target, "LICENSE.uplot.txt"));
// A <meta> element cannot set frame-ancestors. Static assets of Workers take their headers from this file.
// And a Web Worker does not have the policy of the page that starts it.
await writeFile(
  path.join(out, "_headers"),
  [
    "/_sluicegate/demo/*",
    "  Content-Security-Policy: frame-ancestors 'none'",
    "  X-Content-Type-Options: nosniff",
    "/_sluicegate/demo/compare-worker.js",
    "  Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
    "",
  ].join("\n"),
);
await cp(path.join(wasm, "sluicegate_www_bg.wasm"), path.join(target, "sluicegate_www_bg.wasm"));

let total = 0;
for (const name of (await readdir(target)).sort()) {
  const bytes = await readFile(path.join(target, name));
  const zipped = gzipSync(bytes, { level: 9 }).length;
  total += zipped;
  console.log(`${kB(bytes.length)}  ${kB(zipped)} gzipped  ${name}`);
}
console.log(`${" ".repeat(8)}  ${kB(total)} gzipped  the whole page`);

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(8);
}
