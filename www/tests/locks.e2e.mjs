// The Locks and races view in a headless browser with two tabs, against a running Worker:
//
//   SLUICEGATE_URL=http://127.0.0.1:8787/_sluicegate/demo/ SLUICEGATE_ADMIN_TOKEN=… node --test www/tests/locks.e2e.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { open, REFUSALS, screenshot, token, unlock, waitForPhase, waitForText, WIDE } from "./browser.mjs";

test("a second tab takes over the lock and fences off the first", async () => {
  await using demo = await open(WIDE, REFUSALS);
  const { page } = demo;
  await unlock(page, "locks");
  const [second] = await Promise.all([page.context().waitForEvent("page"), page.click("#second-tab")]);
  await second.waitForSelector("#acquire:enabled");
  assert.equal(await second.evaluate(() => [sessionStorage.length, localStorage.length, window.opener].join()), "0,0,");
  assert.notEqual(await second.textContent("#owner"), await page.textContent("#owner"));

  await page.fill("#ttl", "120");
  await page.click("#acquire");
  await waitForPhase(page, "held");
  const fence = Number(await page.textContent("#lock-token"));
  await second.fill("#ttl", "120");
  await page.click("#write");
  await waitForText(page, "#lock-status", new RegExp(`^Written with token ${fence}\\.$`));
  await waitForText(second, "#lock-value", new RegExp(`token ${fence}, write 1`));
  const owner = await page.textContent("#owner");

  await second.click("#acquire");
  await waitForPhase(second, "waiting");
  await screenshot(second, "locks-waiting");
  assert.equal(await second.getAttribute("#lock-state", "data-phase"), "waiting", "the lock has one holder");
  await page.fill("#ttl", "2");
  await page.click("#renew");
  await waitForText(page, "#lock-log", new RegExp(`Renewed\\. The token is still ${fence}`));
  await waitForPhase(second, "held");
  assert.equal(Number(await second.textContent("#lock-token")), fence + 1);
  await waitForPhase(page, "expired");

  await page.click("#write");
  await waitForText(page, "#lock-status", new RegExp(`^Write refused: token ${fence} is stale, the newest is ${fence + 1}`));
  assert.equal(await page.textContent("#lock-value"), `${owner}, token ${fence}, write 1`, "nothing was written");
  await second.click("#write");
  await waitForText(page, "#lock-value", new RegExp(`token ${fence + 1}, write 1`));
  await screenshot(page, "locks");

  await page.fill("#ttl", "120");
  await page.click("#acquire");
  await waitForPhase(page, "waiting");
  await second.click("#release");
  await waitForPhase(page, "held");
  assert.equal(Number(await page.textContent("#lock-token")), fence + 2, "a released lock can be acquired");
  await second.click("#write");
  await waitForText(second, "#lock-status", new RegExp(`^Write refused: token ${fence + 1} is stale`));
  await page.click("#release");
  await waitForPhase(page, "none");
});

test("each race has exactly one winner", async () => {
  await using demo = await open(WIDE, REFUSALS);
  const { page } = demo;
  await unlock(page, "locks");
  await page.click("#race");
  await waitForText(page, "#race-status", /^Both read .*\. (Left won, right|Right won, left) was refused\.$/);
  assert.deepEqual((await states(page)).toSorted(), ["lost", "won"]);
  const value = Number.parseInt(await page.textContent("#race-value"), 10);
  await page.click("#race-many");
  await waitForText(page, "#race-status", /^20 races finished/);
  const score = await Promise.all(["left", "right", "both", "neither"].map(async (name) => Number(await page.textContent(`#score-${name}`))));
  assert.deepEqual([score[0] + score[1], score[2], score[3]], [21, 0, 0]);
  assert.match(await page.textContent("#race-value"), new RegExp(`^${value + 20} by (left|right)$`), "each win adds one");
});

test("the lock works with the keyboard and keeps the focus", async () => {
  await using demo = await open(WIDE, REFUSALS);
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
  await waitForPhase(page, "held");
  assert.equal(await focused(), "ttl");
  await tabTo("release");
  await keyboard.press("Enter");
  await waitForPhase(page, "none");
  await page.waitForFunction(() => document.activeElement.id === "write");
  await tabTo("race");
  await keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "race");
});

function states(page) {
  return page.locator(".lane").evaluateAll((lanes) => lanes.map((lane) => lane.dataset.state));
}
