// The view of tenants in a headless browser, and how all of the new views look, against a running gate whose plan
// "free" is a fixed_window "day" of 5 a day, whose path /keyed needs a key, and whose path /watched has a limit
// "watch" of 2 a day that only watches:
//
//   SLUICEGATE_URL=http://127.0.0.1:8787/_sluicegate/demo/ SLUICEGATE_ADMIN_TOKEN=… node --test www/tests/tenants.e2e.mjs
//
// ARTIFACTS names the folder for screenshots (default: artifacts), CHROMIUM the browser (default: /usr/bin/chromium).

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { contrasts, fitsWidth, launch, open, phase, says, totals, unlock } from "./browser.mjs";

const { SLUICEGATE_URL: url, SLUICEGATE_ADMIN_TOKEN: token } = process.env;
assert.ok(url, "SLUICEGATE_URL is not set (the address of the demo page)");
assert.ok(token, "SLUICEGATE_ADMIN_TOKEN is not set (the gate's own)");
const artifacts = process.env.ARTIFACTS ?? "artifacts";
const shot = (page, name) => page.screenshot({ path: path.join(artifacts, `page-${name}.png`), animations: "disabled" });
// The browser logs each response that is no success; here they are what is looked for.
const REFUSALS = /status of 4\d\d/;
const WIDE = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
let browser;

before(async () => {
  await mkdir(artifacts, { recursive: true });
  browser = await launch();
});

after(() => browser?.close());

test("a tenant's key is refused at its limit, and passes as soon as the limit is raised", async () => {
  await using demo = await open(browser, url, WIDE, REFUSALS);
  const { page } = demo;
  await unlock(page, token, "tenants");
  await page.waitForSelector("#plan-limits li");
  assert.match(await page.textContent("#plan-limits"), /day 5 requests every day/);
  assert.ok(await page.isHidden("#start"), "there is no key yet");
  await create(page);
  assert.match(await page.textContent("#key"), /^sgk_demo-[0-9a-f]{6}_[0-9A-Za-z]{33}$/);

  await demo.send(8, null);
  assert.deepEqual(await totals(page), { allowed: 5, refused: 3, failed: 0, rows: 8 });
  await says(page, "#tenant-limits", /0 of 5 left/);

  await page.fill("#limit-value", "12");
  await page.click("#set-limit");
  await says(page, "#tenant-status", /^day is 12 now, for this tenant alone/);
  await says(page, "#tenant-limits", /its own.*7 of 12 left/);
  await page.click("#send-one");
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 9);
  await page.waitForSelector("#send-one:enabled");
  assert.deepEqual(await totals(page), { allowed: 6, refused: 3, failed: 0, rows: 9 });
  assert.match(await page.textContent("#limits"), /12 requests every day.*6 of 12 left/);
  await page.locator("#rows tr.refused").first().click();
  assert.match(await page.textContent("#details-body"), /GET \/hello as demo-.*429 Too Many Requests.*Refused by “day”/);
  await shot(page, "tenants");

  await page.click("#reset-limits");
  await says(page, "#tenant-status", /plan's own limits hold again/);
  await page.click("#send-one");
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 10);
  assert.equal((await totals(page)).refused, 4, "six are used of five");

  const key = await page.textContent("#key");
  await page.click("#delete-tenant");
  await page.waitForSelector("#tenant-form:not([hidden])");
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 0);
  assert.ok(await page.isHidden("#start"), "the key is gone");
  const anonymous = await fetch(new URL("/keyed", url), { headers: { Authorization: `Bearer ${key}` } });
  assert.equal(anonymous.status, 401, "the gate knows the key no more");
});

test("a limit that only watches refuses nobody, and the page says so", async () => {
  await using demo = await open(browser, url, WIDE);
  const { page } = demo;
  await page.fill("#path", "/watched");
  await demo.send(4, null);
  assert.deepEqual(await totals(page), { allowed: 4, refused: 0, failed: 0, rows: 4 });
  assert.match(await page.textContent("#limits"), /watch.*2 requests every day.*only watches.*;shadow/);
  // Responses come in any order: only of a request after all of them is it certain that the limit is used up.
  await demo.send(1, null);
  await page.locator("#rows tr").last().click();
  await says(page, "#details-body", /Let through, although a limit is used up: on this path the limits only watch/);
  await shot(page, "shadow");
});

test("the views that need the token say so, and the token stays in memory", async () => {
  await using demo = await open(browser, url, WIDE, REFUSALS);
  const { page } = demo;
  await page.click('a[href="#tenants"]');
  assert.match(await page.textContent("#token-hint"), /SLUICEGATE_ADMIN_TOKEN.*make dev.*\.dev\.vars.*memory of this tab.*nowhere else/);
  await page.click("#unlock");
  await says(page, "#token-problem", /^Type the token first/);
  await page.fill("#token", "wrong");
  await page.press("#token", "Enter");
  await says(page, "#token-problem", /^This is not the gate's admin token \(401\)/);
  assert.equal(await page.getAttribute("#token", "aria-invalid"), "true");
  await unlock(page, token, "tenants");
  const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, document.body.innerHTML]));
  assert.ok(!stored.includes(token), "the token is kept elsewhere");
  assert.equal(await page.inputValue("#token"), "");
  await page.click("#forget-token");
  assert.ok(await page.isVisible("#token"));
  assert.ok(await page.isHidden("#tenant-form"));
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
});

test("what the API refuses is said in a message", async () => {
  await using demo = await open(browser, url, WIDE, /status of [45]\d\d/);
  const { page } = demo;
  await unlock(page, token, "tenants");
  await page.fill("#plan", "golden");
  await page.click("#create");
  await says(page, "#tenant-problem", /^Plan: no plan is named "golden" \(plans: .*free.*\)\. \(400\)$/);
  await page.fill("#plan", "free");
  await page.fill("#tenant-id", "No Good");
  await page.click("#create");
  await says(page, "#tenant-problem", /^Id: .*\(400\)$/);

  const response = (status, body, headers = {}) => (route) =>
    route.fulfill({ status, headers, contentType: "application/problem+json", body: JSON.stringify(body) });
  const urn = "urn:sluicegate:problem:redis-unavailable";
  const away = response(503, { type: urn, detail: "Redis did not respond as it should" }, { "Retry-After": "5" });
  await page.route("**/_sluicegate/v1/tenants", away);
  await page.click("#create");
  await says(page, "#tenant-problem", /^Redis did not respond as it should\. \(503\) Try again in 5 s\.$/);

  await page.click("#forget-token");
  await page.route("**/_sluicegate/v1/**", response(404, { type: "about:blank", detail: "nothing of this name below /_sluicegate/" }));
  await page.fill("#token", token);
  await page.click("#unlock");
  await says(page, "#token-problem", /^This gate has no admin API \(404\)/);
});

for (const colorScheme of ["light", "dark"]) {
  test(`text stands out from its ground in ${colorScheme} mode, in every view`, async () => {
    await using demo = await open(browser, url, { ...WIDE, colorScheme }, REFUSALS);
    const { page } = demo;
    const check = async (name) => {
      await shot(page, `${name}-${colorScheme}`);
      assert.deepEqual((await contrasts(page)).filter(({ ratio }) => ratio < 4.5), [], name);
    };
    await page.click('a[href="#tenants"]');
    await page.fill("#token", "wrong");
    await page.click("#unlock");
    await says(page, "#token-problem", /401/);
    await check("tenants-closed");
    await unlock(page, token, "tenants");
    await page.waitForSelector("#plan-limits li");
    await check("tenants-form");
    await create(page);
    await page.click("#set-limit");
    await says(page, "#tenant-status", /now, for this tenant alone/);
    await check("tenants-card");
    await page.click("#delete-tenant");
    await page.waitForSelector("#tenant-form:not([hidden])");
    await page.click('a[href="#locks"]');
    await page.fill("#ttl", "1");
    await page.click("#acquire");
    await phase(page, "over");
    await page.click("#renew");
    await says(page, "#lock-status", /^Not renewed/);
    await page.click("#race");
    await says(page, "#race-status", /won/);
    await check("locks");
  });
}

test("a phone of 360 px shows all of it without scrolling sideways", async () => {
  await using demo = await open(browser, url, PHONE, REFUSALS);
  const { page } = demo;
  await page.tap('a[href="#tenants"]');
  await fitsWidth(page);
  await shot(page, "phone-tenants-closed");
  await unlock(page, token, "tenants");
  await page.waitForSelector("#plan-limits li");
  await fitsWidth(page);
  await create(page);
  await fitsWidth(page);
  await shot(page, "phone-tenants");
  await page.tap("#delete-tenant");
  await page.waitForSelector("#tenant-form:not([hidden])");
  await page.tap('a[href="#locks"]');
  await page.tap("#race");
  await says(page, "#race-status", /won/);
  await fitsWidth(page);
  await shot(page, "phone-locks");
});

/** Creates a tenant of the plan "free" with a key. */
async function create(page) {
  await page.fill("#plan", "free");
  await page.click("#create");
  await page.waitForSelector("#tenant-card:not([hidden])");
  await page.waitForSelector("#tenant-limits li");
}
