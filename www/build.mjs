// Bundles the demo page and the console: node www/build.mjs WASM OUT
//
// WASM is the output folder of wasm-bindgen (--target web). OUT is the root of the Worker's static assets.
// Writes the pages to OUT/_sluicegate/demo/ and OUT/_sluicegate/console/, and prints the size of each file, plain and
// gzipped.

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
const www = path.dirname(fileURLToPath(import.meta.url));
const icon = path.join(www, "page", "icon.svg");

await bundle("console", path.join(www, "console"), { scripts: ["main.js"], files: [icon] });
await bundle("demo", path.join(www, "page"), {
  scripts: ["main.js", "compare-worker.js"],
  files: [icon, path.join(wasm, "sluicegate_www_bg.wasm")],
});
// The minified bundle does not contain the license notice of uPlot.
const license = path.join(path.dirname(fileURLToPath(import.meta.resolve("uplot/package.json"))), "LICENSE");
await cp(license, path.join(folder("demo"), "LICENSE.uplot.txt"));
await writeFile(path.join(out, "_headers"), headers());
for (const name of ["console", "demo"]) await printSizes(name);

/** Returns the folder of a page in the static assets. */
function folder(name) {
  return path.join(out, "_sluicegate", name);
}

/** Bundles the page in the folder `source` with its `scripts`, and copies `files` beside it. */
async function bundle(name, source, { scripts, files }) {
  const target = folder(name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await build({
    entryPoints: [...scripts, "style.css"].map((file) => path.join(source, file)),
    outdir: target,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    logLevel: "warning",
    alias: { "sluicegate-www": path.resolve(wasm, "sluicegate_www.js") },
  });
  for (const file of [path.join(source, "index.html"), ...files]) await cp(file, path.join(target, path.basename(file)));
}

/**
 * Returns the response headers of the pages. Static assets of Workers take them from this file. The demo page has the
 * rest of its policy in a <meta> element, which cannot set frame-ancestors. Its Web Worker does not have that policy.
 */
function headers() {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return `/_sluicegate/console/*
  Content-Security-Policy: ${policy.join("; ")}
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Resource-Policy: same-origin
  Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()
  Referrer-Policy: no-referrer
  X-Content-Type-Options: nosniff
  X-Frame-Options: DENY
/_sluicegate/demo/*
  Content-Security-Policy: frame-ancestors 'none'
  X-Content-Type-Options: nosniff
/_sluicegate/demo/compare-worker.js
  Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'
`;
}

async function printSizes(name) {
  let total = 0;
  for (const file of (await readdir(folder(name))).sort()) {
    const bytes = await readFile(path.join(folder(name), file));
    const zipped = gzipSync(bytes, { level: 9 }).length;
    total += zipped;
    console.log(`${kB(bytes.length)}  ${kB(zipped)} gzipped  ${name}/${file}`);
  }
  console.log(`${" ".repeat(8)}  ${kB(total)} gzipped  all of ${name}`);
}

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(8);
}
