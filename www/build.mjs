// Bundles the demo page: node www/build.mjs WASM OUT
//
// WASM is the folder that wasm-bindgen wrote (--target web), OUT the root of the Worker's static assets.
// The page lands in OUT/_sluicegate/demo/. Prints what each file weighs, and gzipped.

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
  entryPoints: [path.join(page, "main.js"), path.join(page, "style.css")],
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  logLevel: "warning",
  alias: { "sluicegate-www": path.resolve(wasm, "sluicegate_www.js") },
});
for (const name of ["index.html", "icon.svg"]) await cp(path.join(page, name), path.join(target, name));
// The minified bundle has lost its notice.
await cp(path.join(path.dirname(fileURLToPath(import.meta.resolve("uplot/package.json"))), "LICENSE"), path.join(target, "LICENSE.uplot.txt"));
// A page's own <meta> cannot say who may frame it; the Workers runtime's static assets read this file.
await writeFile(
  path.join(out, "_headers"),
  ["/_sluicegate/demo/*", "  Content-Security-Policy: frame-ancestors 'none'", "  X-Content-Type-Options: nosniff", ""].join("\n"),
);
await cp(path.join(wasm, "sluicegate_www_bg.wasm"), path.join(target, "sluicegate_www_bg.wasm"));

let whole = 0;
for (const name of (await readdir(target)).sort()) {
  const bytes = await readFile(path.join(target, name));
  const zipped = gzipSync(bytes, { level: 9 }).length;
  whole += zipped;
  console.log(`${kB(bytes.length)}  ${kB(zipped)} gzipped  ${name}`);
}
console.log(`${" ".repeat(8)}  ${kB(whole)} gzipped  the whole page`);

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(8);
}
