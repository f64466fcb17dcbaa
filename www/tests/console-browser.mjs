// Helpers for the tests of the console in a headless browser. The environment is that of browser.mjs.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { load, token, url } from "./browser.mjs";

export const consoleUrl = new URL("../console/", url).href;

const axeSource = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/**
 * Opens the console, and unlocks it unless `locked`. When it is disposed of, fails if the browser showed an error or
 * reported a violation of the Content-Security-Policy.
 */
export async function openConsole(options = {}, { expected = null, locked = false } = {}) {
  const { page, dispose } = await load("about:blank", options, expected);
  const violations = [];
  await page.exposeFunction("reportViolation", (text) => violations.push(text));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) => reportViolation(`${violatedDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`));
  });
  await page.goto(consoleUrl);
  await page.waitForSelector("#unlock:enabled");
  if (!locked) await unlockConsole(page);
  return {
    page,
    violations,
    async [Symbol.asyncDispose]() {
      await dispose();
      assert.deepEqual(violations, [], "the policy was violated");
    },
  };
}

/** Enters the token. */
export async function unlockConsole(page) {
  assert.ok(token, "SLUICEGATE_ADMIN_TOKEN is not set (the admin token of the Worker)");
  await page.fill("#token", token);
  await page.press("#token", "Enter");
  await page.waitForSelector("#unlocked:not([hidden])");
}

/** Opens a section, or an item in it, by the address, and waits until `selector` is there. */
export async function go(page, fragment, selector) {
  await page.evaluate((hash) => (location.hash = hash), fragment);
  await page.waitForSelector(selector);
}

/** Calls the admin API beside the console, as somebody else would. Returns the response. */
export function callApi(method, path, body = undefined) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return fetch(new URL(`../v1${path}`, url), { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

/** Creates a tenant over the API, and a key of it. Returns its id and the key. */
export async function createTenant(plan, settings = {}) {
  const id = `t-${crypto.randomUUID().slice(0, 8)}`;
  assert.equal((await callApi("POST", "/tenants", { id, plan, ...settings })).status, 201);
  const created = await callApi("POST", `/tenants/${id}/keys`, {});
  return { id, key: (await created.json()).key };
}

/** Sends a request to the origin with a key, and returns the status. */
export async function send(key, path = "/hello") {
  const response = await fetch(new URL(path, url), { headers: { "X-API-Key": key } });
  await response.arrayBuffer();
  return response.status;
}

/** Fails if axe finds anything on the page as it is, also against its best practices. */
export async function passesAxe(page, name) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const summary = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
  assert.deepEqual(summary, [], name);
}
