// The view of locks and races in a headless browser, with two tabs, against a running gate:
//
//   SLUICEGATE_URL=http://127.0.0.1:8787/_sluicegate/demo/ SLUICEGATE_ADMIN_TOKEN=… node --test www/tests/locks.e2e.mjs
//
// ARTIFACTS names the folder for screenshots (default: artifacts), CHROMIUM the browser (default: /usr/bin/chromium).

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch, open, phase, says, unlock } from "./browser.mjs";

const { SLUICEGATE_URL: url, SLUICEGATE_ADMIN_TOKEN: token } = process.env;
assert.ok(url, "SLUICEGATE_URL is not set (the address of the demo page)");
assert.ok(token, "SLUICEGATE_ADMIN_TOKEN is not set (the gate's own)");
const artifacts = process.env.ARTIFACTS ?? "artifacts";
const shot = (page, name) => page.screenshot({ path: path.join(artifacts, `page-${name}.png`), animations: "disabled" });
// The browser logs each response that is no success; here they are what is looked for.
const REFUSALS = /status of 4\d\d/;
const WIDE = { viewport: { width: 1440, height: 900 } };
let browser;

before(async () => {
  await mkdir(artifacts, { recursive: true });
  browser = await launch();
});

after(() => browser?.close());

test("two tabs and one lock: the second waits and takes over, and the late write of the first is refused", async () => {
  await using demo = await open(browser, url, WIDE, REFUSALS);
  const { page } = demo;
  await unlock(page, token, "locks");
  const [second] = await Promise.all([page.context().waitForEvent("page"), page.click("#second-tab")]);
  await second.waitForSelector("#acquire:enabled");
  assert.equal(await second.evaluate(() => [sessionStorage.length, localStorage.length, window.opener].join()), "0,0,");
  assert.notEqual(await second.textContent("#owner"), await page.textContent("#owner"));

  await page.fill("#ttl", "120");
  await page.click("#acquire");
  await phase(page, "held");
  const fence = Number(await page.textContent("#lock-token"));
  await second.fill("#ttl", "120");
  await page.click("#write");
  await says(page, "#lock-status", new RegExp(`^Written with token ${fence}\\.$`));
  await says(second, "#lock-value", new RegExp(`token ${fence}, write 1`));
  const owner = await page.textContent("#owner");

  await second.click("#acquire");
  await phase(second, "waiting");
  await shot(second, "locks-waiting");
  assert.equal(await second.getAttribute("#lock-state", "data-phase"), "waiting", "the lock has one holder");
  await page.fill("#ttl", "2");
  await page.click("#renew");
  await says(page, "#lock-log", new RegExp(`Renewed: still token ${fence}`));
  await phase(second, "held");
  assert.equal(Number(await second.textContent("#lock-token")), fence + 1);
  await phase(page, "over");

  await page.click("#write");
  await says(page, "#lock-status", new RegExp(`^Refused: token ${fence} is old, ${fence + 1} is the newest`));
  assert.equal(await page.textContent("#lock-value"), `${owner}, token ${fence}, write 1`, "nothing was written");
  await second.click("#write");
  await says(page, "#lock-value", new RegExp(`token ${fence + 1}, write 1`));
  await shot(page, "locks");

  await page.fill("#ttl", "120");
  await page.click("#acquire");
  await phase(page, "waiting");
  await second.click("#release");
  await phase(page, "held");
  assert.equal(Number(await page.textContent("#lock-token")), fence + 2, "a release is as good as an end");
  await second.click("#write");
  await says(second, "#lock-status", new RegExp(`^Refused: token ${fence + 1} is old`));
  await page.click("#release");
  await phase(page, "none");
});

test("a race has exactly one winner, each time", async () => {
  await using demo = await open(browser, url, WIDE, REFUSALS);
  const { page } = demo;
  await unlock(page, token, "locks");
  await page.click("#race");
  await says(page, "#race-status", /^Both read .*\. (Left|Right) won, the other was refused\.$/);
  assert.deepEqual((await states(page)).toSorted(), ["lost", "won"]);
  const value = Number.parseInt(await page.textContent("#race-value"), 10);
  await page.click("#race-many");
  await says(page, "#race-status", /^20 races done/);
  const score = await Promise.all(["left", "right", "both", "neither"].map(async (name) => Number(await page.textContent(`#score-${name}`))));
  assert.deepEqual([score[0] + score[1], score[2], score[3]], [21, 0, 0]);
  assert.match(await page.textContent("#race-value"), new RegExp(`^${value + 20} by (left|right)$`), "each win added one");
});

test("the lock works by keyboard alone, and the focus is never lost", async () => {
  await using demo = await open(browser, url, WIDE, REFUSALS);
  const { page } = demo;
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement.id);
  const tabTo = async (id) => {
    for (let presses = 0; presses < 20 && (await focused()) !== id; presses += 1) await keyboard.press("Tab");
    assert.equal(await focused(), id);
  };
  await page.locator('a[href="#locks"]').focus();
  await keyboard.press("Enter");
  await tabTo("token");
  await keyboard.type(token);
  await keyboard.press("Enter");
  await page.waitForSelector("#acquire:enabled");
  await page.waitForFunction(() => document.activeElement.id === "forget-token");
  await tabTo("ttl");
  await keyboard.press("Enter");
  await phase(page, "held");
  assert.equal(await focused(), "ttl");
  await tabTo("release");
  await keyboard.press("Enter");
  await phase(page, "none");
  await page.waitForFunction(() => document.activeElement.id === "write");
  await tabTo("race");
  await keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "race");
});

function states(page) {
  return page.locator(".lane").evaluateAll((lanes) => lanes.map((lane) => lane.dataset.state));
}
