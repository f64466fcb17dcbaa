// What the page's tests do again and again in the browser.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** A headless browser: CHROMIUM, or /usr/bin/chromium. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"],
  });
}

/**
 * Opens the page; when disposed of, fails if the console of it, or of a tab that it has opened, showed an error
 * other than refused responses and `expected`.
 */
export async function open(browser, url, options = {}, expected = null) {
  const context = await browser.newContext(options);
  const errors = [];
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("console", (message) => {
    const text = message.text();
    // The browser itself logs every 4xx and 5xx response. A busy machine may be unwell for a moment: the page asks again.
    const logged = /status of 429/.test(text) || new URL(message.location().url, url).pathname === "/_sluicegate/health";
    if (message.type() === "error" && !logged && !expected?.test(text)) errors.push(text);
  });
  const page = await context.newPage();
  await page.goto(url);
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
    /** Sends `count` requests, `rate` a second (null: all at once), and waits until all are answered. */
    async send(count, rate) {
      await press(count, rate);
      await page.waitForFunction((wanted) => document.querySelectorAll("#rows tr").length === wanted, count);
      await page.waitForSelector("#start:enabled");
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      assert.deepEqual(errors, [], "the console showed errors");
    },
  };
}

/** The totals as the page shows them, and how many rows there are. */
export async function totals(page) {
  const number = async (id) => Number(await page.textContent(id));
  const rows = await page.locator("#rows tr").count();
  return { allowed: await number("#allowed"), refused: await number("#refused"), failed: await number("#failed"), rows };
}

/** Waits until at least `wanted` units of quota are there: an earlier test may have used it up. */
export async function quotaIsBack(url, wanted) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const response = await fetch(new URL("/hello", url));
    await response.arrayBuffer();
    const remaining = Number(/;r=(\d+)/.exec(response.headers.get("RateLimit"))?.[1]);
    if (remaining >= wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  assert.fail(`the quota did not come back to ${wanted}`);
}

/** Nothing is wider than the window. */
export async function fitsWidth(page) {
  const [content, visible] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content <= visible, `the page is ${content} px wide in a window of ${visible} px`);
}

/** The contrast (WCAG 2) of every piece of visible text with its ground; disabled buttons are exempt. */
export function contrasts(page) {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => {
      const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const ground = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = rgba(getComputedStyle(at).backgroundColor);
        if (color[3] === 255) return color;
      }
      return [255, 255, 255];
    };
    const found = new Map();
    for (const element of document.body.querySelectorAll("*")) {
      const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
      if (!own || !element.checkVisibility() || element.closest(":disabled, noscript, option") !== null) continue;
      const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
      const ratio = Math.round(((a + 0.05) / (b + 0.05)) * 100) / 100;
      const name = `${element.tagName.toLowerCase()}.${element.className} in ${element.parentElement.className}`;
      found.set(`${name} ${ratio}`, { name, ratio });
    }
    return [...found.values()];
  });
}

/** Opens the admin API to the page, in one of its views. */
export async function unlock(page, token, view) {
  await page.click(`a[href="#${view}"]`);
  await page.fill("#token", token);
  await page.click("#unlock");
  await page.waitForSelector("#unlocked:not([hidden])");
}

/** Waits until an element says what is expected. */
export async function says(page, selector, expected) {
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

/** Waits until the lock is in this phase for the page. */
export function phase(page, name) {
  return page.waitForSelector(`#lock-state[data-phase="${name}"]`);
}
