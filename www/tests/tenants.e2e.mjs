// The Tenants view in a headless browser, and the look of the views that need the admin token, against a running
// Worker. Its plan "free" is a fixed_window "day" of 5 per day. Its path /keyed requires a key. Its path /watched
// has a limit "watch" of 2 per day in shadow mode:
//
//   SLUICEGATE_URL=http://127.0.0.1:8787/_sluicegate/demo/ SLUICEGATE_ADMIN_TOKEN=… node --test www/tests/tenants.e2e.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { contrasts, fitsWidth, open, PHONE, REFUSALS, screenshot, token, totals, unlock, url, waitForPhase, waitForText, WIDE } from "./browser.mjs";

test("a raised limit applies to the next request", async () => {
  await using demo = await open(WIDE, REFUSALS);
  const { page } = demo;
  await unlock(page, "tenants");
  await page.waitForSelector("#plan-limits li");
  assert.match(await page.textContent("#plan-limits"), /day 5 requests per day/);
  assert.ok(await page.isHidden("#start"), "there is no key yet");
  await create(page);
  assert.match(await page.textContent("#key"), /^sgk_demo-[0-9a-f]{6}_[0-9A-Za-z]{33}$/);

  await demo.send(8, null);
  assert.deepEqual(await totals(page), { allowed: 5, refused: 3, failed: 0, rows: 8 });
  await waitForText(page, "#tenant-limits", /0 of 5 remaining/);

  await page.fill("#limit-value", "12");
  await page.click("#set-limit");
  await waitForText(page, "#tenant-status", /^day is now 12, for this tenant only/);
  await waitForText(page, "#tenant-limits", /override.*7 of 12 remaining/);
  await page.click("#send-one");
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 9);
  await page.waitForSelector("#send-one:enabled");
  assert.deepEqual(await totals(page), { allowed: 6, refused: 3, failed: 0, rows: 9 });
  assert.match(await page.textContent("#limits"), /12 requests per day.*6 of 12 remaining/);
  await page.locator("#rows tr.refused").first().click();
  assert.match(await page.textContent("#details-body"), /GET \/hello as demo-.*429 Too Many Requests.*Refused by “day”/);
  await screenshot(page, "tenants");

  await page.click("#reset-limits");
  await waitForText(page, "#tenant-status", /limits of the plan apply again/);
  await page.click("#send-one");
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 10);
  assert.equal((await totals(page)).refused, 4, "six of five are used");

  const key = await page.textContent("#key");
  await page.click("#delete-tenant");
  await page.waitForSelector("#tenant-form:not([hidden])");
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 0);
  assert.ok(await page.isHidden("#start"), "the key is deleted");
  const anonymous = await fetch(new URL("/keyed", url), { headers: { Authorization: `Bearer ${key}` } });
  assert.equal(anonymous.status, 401, "the key is unknown");
});

test("a limit in shadow mode refuses nothing, and the page says so", async () => {
  await using demo = await open(WIDE);
  const { page } = demo;
  await page.fill("#path", "/watched");
  await demo.send(4, null);
  assert.deepEqual(await totals(page), { allowed: 4, refused: 0, failed: 0, rows: 4 });
  assert.match(await page.textContent("#limits"), /watch.*2 requests per day.*shadow mode.*;shadow/);
  // Responses come in any order: only of a request after all of them is it certain that the limit is used up.
  await demo.send(1, null);
  await page.locator("#rows tr").last().click();
  await waitForText(page, "#details-body", /Allowed, although a limit is exceeded: it runs in shadow mode, which only reports/);
  await screenshot(page, "shadow");
});

test("the admin token stays in memory", async () => {
  await using demo = await open(WIDE, REFUSALS);
  const { page } = demo;
  await page.click('a[href="#tenants"]');
  assert.match(await page.textContent("#token-hint"), /SLUICEGATE_ADMIN_TOKEN.*make dev.*\.dev\.vars.*memory of this tab.*nowhere else/);
  await page.click("#unlock");
  await waitForText(page, "#token-problem", /^Enter the admin token/);
  await page.fill("#token", "wrong");
  await page.press("#token", "Enter");
  await waitForText(page, "#token-problem", /^Wrong admin token \(401\)/);
  assert.equal(await page.getAttribute("#token", "aria-invalid"), "true");
  await unlock(page, "tenants");
  const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, document.body.innerHTML]));
  assert.ok(!stored.includes(token), "the token is stored elsewhere");
  assert.equal(await page.inputValue("#token"), "");
  await page.click("#forget-token");
  assert.ok(await page.isVisible("#token"));
  assert.ok(await page.isHidden("#tenant-form"));
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
});

test("API errors are shown as sentences", async () => {
  await using demo = await open(WIDE, /status of [45]\d\d/);
  const { page } = demo;
  await unlock(page, "tenants");
  await page.fill("#plan", "golden");
  await page.click("#create");
  await waitForText(page, "#tenant-problem", /^Plan: no plan is named "golden" \(plans: .*free.*\)\. \(400\)$/);
  await page.fill("#plan", "free");
  await page.fill("#tenant-id", "No Good");
  await page.click("#create");
  await waitForText(page, "#tenant-problem", /^Id: .*\(400\)$/);

  const response = (status, body, headers = {}) => (route) =>
    route.fulfill({ status, headers, contentType: "application/problem+json", body: JSON.stringify(body) });
  const urn = "urn:sluicegate:problem:redis-unavailable";
  const away = response(503, { type: urn, detail: "Redis did not answer as it should" }, { "Retry-After": "5" });
  await page.route("**/_sluicegate/v1/tenants", away);
  await page.click("#create");
  await waitForText(page, "#tenant-problem", /^Redis did not answer as it should\. \(503\) Try again in 5 s\.$/);

  await page.click("#forget-token");
  await page.route("**/_sluicegate/v1/**", response(404, { type: "about:blank", detail: "nothing of this name below /_sluicegate/" }));
  await page.fill("#token", token);
  await page.click("#unlock");
  await waitForText(page, "#token-problem", /^The admin API is disabled \(404\)/);
});

for (const colorScheme of ["light", "dark"]) {
  test(`text has enough contrast in ${colorScheme} mode in every view`, async () => {
    await using demo = await open({ ...WIDE, colorScheme }, REFUSALS);
    const { page } = demo;
    const check = async (name) => {
      await screenshot(page, `${name}-${colorScheme}`);
      assert.deepEqual((await contrasts(page)).filter(({ ratio }) => ratio < 4.5), [], name);
    };
    await page.click('a[href="#tenants"]');
    await page.fill("#token", "wrong");
    await page.click("#unlock");
    await waitForText(page, "#token-problem", /401/);
    await check("tenants-closed");
    await unlock(page, "tenants");
    await page.waitForSelector("#plan-limits li");
    await check("tenants-form");
    await create(page);
    await page.click("#set-limit");
    await waitForText(page, "#tenant-status", /for this tenant only/);
    await check("tenants-card");
    await page.click("#delete-tenant");
    await page.waitForSelector("#tenant-form:not([hidden])");
    await page.click('a[href="#locks"]');
    await page.fill("#ttl", "1");
    await page.click("#acquire");
    await waitForPhase(page, "expired");
    await page.click("#renew");
    await waitForText(page, "#lock-status", /^Not renewed/);
    await page.click("#race");
    await waitForText(page, "#race-status", /won/);
    await check("locks");
  });
}

test("the views fit a phone of 360 px", async () => {
  await using demo = await open(PHONE, REFUSALS);
  const { page } = demo;
  await page.tap('a[href="#tenants"]');
  await fitsWidth(page);
  await screenshot(page, "phone-tenants-closed");
  await unlock(page, "tenants");
  await page.waitForSelector("#plan-limits li");
  await fitsWidth(page);
  await create(page);
  await fitsWidth(page);
  await screenshot(page, "phone-tenants");
  await page.tap("#delete-tenant");
  await page.waitForSelector("#tenant-form:not([hidden])");
  await page.tap('a[href="#locks"]');
  await page.tap("#race");
  await waitForText(page, "#race-status", /won/);
  await fitsWidth(page);
  await screenshot(page, "phone-locks");
});

/** Creates a tenant with the plan "free" and an API key. */
async function create(page) {
  await page.fill("#plan", "free");
  await page.click("#create");
  await page.waitForSelector("#tenant-card:not([hidden])");
  await page.waitForSelector("#tenant-limits li");
}
