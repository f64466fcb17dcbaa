// Helpers for the tests of the page in a headless browser.
//
// SLUICEGATE_URL is the address of the demo page, and SLUICEGATE_ADMIN_TOKEN the admin token of its Worker.
// ARTIFACTS is the folder for screenshots (default: artifacts), CHROMIUM the browser (default: /usr/bin/chromium).

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before } from "node:test";

export const { SLUICEGATE_URL: url, SLUICEGATE_ADMIN_TOKEN: token } = process.env;
assert.ok(url, "SLUICEGATE_URL is not set (the address of the demo page)");

export const WIDE = { viewport: { width: 1440, height: 900 } };
export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
// The browser logs every 4xx response as an error, and these tests provoke some.
export const REFUSALS = /status of 4\d\d/;

const artifacts = process.env.ARTIFACTS ?? "artifacts";
let browser;

before(async () => {
  await mkdir(artifacts, { recursive: true });
  browser = await launch();
});

after(() => browser?.close());

/** Saves a screenshot. `options` are those of the browser's driver. */
export function screenshot(page, name, options = {}) {
  return page.screenshot({ path: path.join(artifacts, `page-${name}.png`), animations: "disabled", ...options });
}

/**
 * Launches a headless browser. All its temporary files are in one folder, which is removed when the process exits,
 * also after a failure.
 */
async function launch() {
  const folder = await mkdtemp(path.join(os.tmpdir(), "sluicegate-page-"));
  process.env.TMPDIR = folder;
  try {
    // playwright-core reads TMPDIR when it is imported.
    const { chromium } = await import("playwright-core");
    return await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"],
    });
  } finally {
    // playwright-core kills the browser in its own exit handler, which must run before this one.
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    // Without a handler, a signal ends the process without an exit event.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
  }
}

/** Opens the demo page. When it is disposed of, fails as [`load`] does. */
export async function open(options = {}, expected = null) {
  const { page, dispose } = await load(url, options, expected);
  await page.waitForSelector("#start:enabled");
  await page.waitForSelector('#health[data-state="ok"]');
  const press = async (count, rate) => {
    await page.fill("#count", String(count));
    await page.locator(`input[name="pace"][value="${rate === null ? "once" : "steady"}"]`).check({ force: true });
    if (rate !== null) await page.fill("#rate", String(rate));
    await page.click("#start");
  };
  return {
    page,
    press,
    /** Sends `count` requests, `rate` per second (null: all at once), and waits for all responses. */
    async send(count, rate) {
      await press(count, rate);
      await page.waitForFunction((wanted) => document.querySelectorAll("#rows tr").length === wanted, count);
      await page.waitForSelector("#start:enabled");
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * Loads a page of ours. Returns it with `dispose()`, which fails if its console, or that of a tab it opened, showed an error
 * other than refused responses and `expected`.
 */
export async function load(address, options = {}, expected = null) {
  const context = await browser.newContext(options);
  const errors = [];
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("console", (message) => {
    const text = message.text();
    // The browser logs every 4xx and 5xx response. The health check can fail briefly on a busy machine: the page
    // retries.
    const ignored = /status of 429/.test(text) || new URL(message.location().url, url).pathname === "/_sluicegate/health";
    if (message.type() === "error" && !ignored && !expected?.test(text)) errors.push(text);
  });
  const page = await context.newPage();
  await page.goto(address);
  const dispose = async () => {
    await context.close();
    assert.deepEqual(errors, [], "the console showed errors");
  };
  return { page, dispose };
}

/** Opens a page at any address, also one that is not ours. Its console may show errors. */
export async function visit(address) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  return { page, [Symbol.asyncDispose]: () => context.close() };
}

/** Returns the totals that the page shows, and the number of rows. */
export async function totals(page) {
  const number = async (id) => Number(await page.textContent(id));
  const rows = await page.locator("#rows tr").count();
  return { allowed: await number("#allowed"), refused: await number("#refused"), failed: await number("#failed"), rows };
}

/** Waits until at least `wanted` units of quota remain. An earlier test may have used them. */
export async function waitForQuota(wanted) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const response = await fetch(new URL("/hello", url));
    await response.arrayBuffer();
    const remaining = Number(/;r=(\d+)/.exec(response.headers.get("RateLimit"))?.[1]);
    if (remaining >= wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  assert.fail(`the quota did not refill to ${wanted}`);
}

/** Fails if the page is wider than the window. */
export async function fitsWidth(page) {
  const [content, visible] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  // A phone zooms out of a page that is too wide, and shows all of it.
  const width = Math.min(visible, page.viewportSize().width);
  assert.ok(content <= width, `the page is ${content} px wide in a window of ${width} px`);
}

/** Returns the contrast ratio (WCAG 2) of all visible text with its background. Disabled controls are exempt. */
export function contrasts(page) {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]) => {
      const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const background = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = rgba(getComputedStyle(at).backgroundColor);
        if (color[3] === 255) return color;
      }
      return [255, 255, 255];
    };
    const found = new Map();
    for (const element of document.body.querySelectorAll("*")) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
      if (!hasText || !element.checkVisibility() || element.closest(":disabled, noscript, option") !== null) continue;
      const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(background(element))].sort((x, y) => y - x);
      const ratio = Math.round(((a + 0.05) / (b + 0.05)) * 100) / 100;
      const name = `${element.tagName.toLowerCase()}.${element.className} in ${element.parentElement.className}`;
      found.set(`${name} ${ratio}`, { name, ratio });
    }
    return [...found.values()];
  });
}

/** Opens one of the views and unlocks the admin API. */
export async function unlock(page, view) {
  assert.ok(token, "SLUICEGATE_ADMIN_TOKEN is not set (the admin token of the Worker)");
  await page.click(`a[href="#${view}"]`);
  await page.fill("#token", token);
  await page.click("#unlock");
  await page.waitForSelector("#unlocked:not([hidden])");
}

/** Waits until the text of an element matches. */
export async function waitForText(page, selector, expected) {
  try {
    await page.waitForFunction(
      ([where, source]) => new RegExp(source).test(document.querySelector(where).textContent),
      [selector, expected.source],
      { timeout: 20_000 },
    );
  } catch {
    assert.match(await page.textContent(selector), expected, selector);
  }
}

/** Waits until the lock has this phase in this tab. */
export function waitForPhase(page, name) {
  return page.waitForSelector(`#lock-state[data-phase="${name}"]`);
}
