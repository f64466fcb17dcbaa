// The look of the console in a headless browser, and who can use it: an accessibility checker, keys alone, a phone. The
// Worker is that of console.e2e.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fitsWidth, PHONE, REFUSALS, screenshot, token, waitForText, WIDE } from "./browser.mjs";
import { createTenant, go, openConsole, passesAxe, send, unlockConsole } from "./console-browser.mjs";

for (const [size, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every section passes the accessibility checker (${size}, ${colorScheme})`, async () => {
      const { id, key } = await createTenant("free", {
        overrides: { day: { limit: 6, until: "2099-01-01T00:00:00Z" } },
        metadata: { contact: "ops@example.com" },
      });
      for (let sent = 0; sent < 7; sent += 1) await send(key);
      await using opened = await openConsole({ ...viewport, colorScheme }, { locked: true, expected: REFUSALS });
      const { page } = opened;
      const check = async (name) => {
        await passesAxe(page, name);
        await fitsWidth(page);
        await screenshot(page, `console-${name}-${size}-${colorScheme}`, { fullPage: true });
      };
      // Days that are over are written by the cron trigger, so there are none yet.
      await page.route("**/usage*", async (route) => {
        const response = await route.fetch();
        const usage = await response.json();
        route.fulfill({ response, json: { ...usage, history: pastDays(usage.today.day) } });
      });
      await check("access");
      await page.fill("#token", "wrong");
      await page.press("#token", "Enter");
      await waitForText(page, "#token-problem", /^Wrong admin token/);
      await check("access-refused");
      await unlockConsole(page);
      await page.waitForSelector("#tenant-rows a");
      await check("tenants");
      await go(page, `#tenants/${id}`, "#tenant:not([hidden]) #override-rows tr");
      await check("tenant");
      await page.click("#key-form button");
      await page.waitForSelector("#created-key:not([hidden])");
      await check("key");
      await page.click("#delete-tenant");
      await page.waitForSelector("#confirm[open]");
      await check("confirm");
      await page.keyboard.press("Escape");
      await go(page, "#usage", "#top-rows tr, #no-top:not([hidden])");
      await check("usage");
      await go(page, `#usage/${id}`, "#history-chart svg");
      await page.click("details:has(#history-rows) summary");
      await check("usage-of-tenant");
      await go(page, "#live", "#live-rows tr");
      await check("live");
      await go(page, "#configuration", "#plan-rows tr");
      await page.fill("#explain-headers", `X-API-Key: ${key}`);
      await page.click("#explain-form details summary");
      await page.click("#explain-form button.primary");
      await page.waitForSelector("#explanation ol");
      await check("configuration");
      await go(page, "#health", "#check-rows tr");
      await check("health");
    });
  }
}

test("keys alone reach everything", async () => {
  const { id } = await createTenant("free");
  await using opened = await openConsole(WIDE, { locked: true });
  const { page } = opened;
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const tabTo = async (wanted) => {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await focused()) === wanted) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${wanted}`);
  };
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "skip", "past the header first");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "content");
  assert.ok(!page.url().includes("#"), "the fragment is for sections");
  await tabTo("token");
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "tenants-title");
  await page.waitForSelector("#tenant-rows a");
  await tabTo(id);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "tenant-name");
  await tabTo("suspend");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#confirm[open]");
  await tabTo("confirm-action");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "suspend", "the focus returns to the button");
  await page.keyboard.press("Enter");
  await tabTo("confirm-action");
  await page.keyboard.press("Enter");
  await waitForText(page, "#tenant-done", /^Suspended/);
  // A focus ring can be seen wherever the keys go.
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none");

  for (const [section, title] of [["usage", "Usage"], ["live", "Live"], ["configuration", "Configuration"], ["health", "Health"], ["tenants", "Tenants"]]) {
    await page.locator(`#sections a[href="#${section}"]`).focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction((id) => document.activeElement.id === id, `${section}-title`);
    assert.equal(await page.title(), `${title} – sluicegate console`);
    assert.equal(await page.getAttribute(`#sections a[href="#${section}"]`, "aria-current"), "page");
  }
});

test("on a phone, one tenant takes the place of the list", async () => {
  const { id } = await createTenant("free");
  await using opened = await openConsole(PHONE);
  const { page } = opened;
  await page.fill("#tenant-query", id);
  await page.tap(`#tenant-rows a:text-is("${id}")`);
  await page.waitForSelector("#tenant:not([hidden])");
  assert.ok(await page.isHidden("#tenant-rows"));
  await page.tap(".back");
  await page.waitForSelector("#tenant-rows a");
  assert.ok(await page.isHidden("#tenant"));
});

/** Returns 90 days before a day with some usage, newest first. */
function pastDays(today) {
  return Array.from({ length: 90 }, (_, index) => {
    const day = new Date(Date.parse(today) - (index + 1) * 86_400_000);
    const units = Math.round(900 + 500 * Math.sin(index / 8) + 37 * ((index * 7) % 11));
    return { day: day.toISOString().slice(0, 10), units: day.getUTCDay() === 0 ? 0 : units };
  }).filter(({ units }) => units > 0);
}
