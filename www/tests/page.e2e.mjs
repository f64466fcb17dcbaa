// The Requests view in a headless browser, against a running Worker with one limit: a token_bucket "burst" of 20
// per 10 s. Its timeout must be long enough for a busy machine:
//
//   SLUICEGATE_URL=http://127.0.0.1:8787/_sluicegate/demo/ node --test www/tests/page.e2e.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { contrasts, fitsWidth, open, PHONE, screenshot, totals, waitForQuota, WIDE } from "./browser.mjs";

test("one run fills table, totals, policy and chart", async () => {
  await using demo = await open(WIDE);
  const { page } = demo;
  await screenshot(page, "start");
  await waitForQuota(8);
  const pressed = Date.now();
  await demo.send(60, 20);
  const most = 20 + Math.ceil((2 * (Date.now() - pressed)) / 1000);
  const { allowed, refused, failed, rows } = await totals(page);
  assert.equal(rows, 60);
  assert.equal(allowed + refused, 60, `failed: ${failed}`);
  assert.ok(allowed >= 8 && allowed <= most, `burst 20 and 2 per second: ${allowed} allowed`);
  assert.ok(refused > 0);
  assert.equal(await page.textContent("#status"), `60 of 60 answered: ${allowed} allowed, ${refused} refused.`);
  assert.match(await page.textContent("#limits"), /burst.*20 requests per 10 s.*"burst";q=20;w=10.*of 20 remaining/);
  assert.ok(await page.locator("#plot canvas").isVisible());
  assert.match(await page.getAttribute("#plot", "aria-label"), /60 of 60 answered/);
  assert.match(await page.locator("#rows tr.refused .c-retry").first().textContent(), /^\d+ s$/);
  assert.match(await page.textContent("#limiter"), /^\d+(\.\d)?$/);

  await page.locator("#rows tr.refused").first().click();
  const details = await page.textContent("#details-body");
  assert.match(details, /429 Too Many Requests.*Refused by “burst”/);
  assert.match(details, /retry-after\d/);
  assert.match(details, /"violated-policies"/);
  await screenshot(page, "light");
});

test("a request sent after the countdown is allowed", async () => {
  await using demo = await open();
  const { page } = demo;
  await demo.send(60, null);
  assert.ok((await totals(page)).refused > 0);
  const sendOne = async () => {
    const count = await page.locator("#rows tr").count();
    const [response] = await Promise.all([page.waitForResponse((one) => new URL(one.url()).pathname === "/hello"), page.click("#send-one")]);
    await page.locator("#rows tr").nth(count).waitFor();
    await page.waitForSelector("#send-one:enabled");
    return response;
  };
  // The last request of the run may have been allowed. Then one or two more find the bucket empty.
  for (let tries = 0; tries < 5 && !/wait|ready/.test(await page.getAttribute("#next", "data-state")); tries += 1) await sendOne();
  await page.waitForSelector('#next[data-state="ready"]');
  const response = await sendOne();
  const row = page.locator("#rows tr").last();
  await row.click();
  assert.equal(await row.getAttribute("class").then((names) => names.includes("allowed")), true);
  await page.waitForSelector("#details-body pre");
  const shown = await page.locator(".headers > div").evaluateAll((pairs) => pairs.map((pair) => [...pair.children].map((part) => part.textContent)));
  const real = await response.allHeaders();
  assert.equal(response.status(), 200);
  for (const [name, value] of shown) assert.equal(value, real[name], name);
  for (const name of ["ratelimit", "ratelimit-policy", "server-timing", "content-type"]) {
    assert.ok(shown.some(([key]) => key === name), `${name} is not among the details`);
  }
  assert.deepEqual(JSON.parse(await page.textContent("#details-body pre")), await response.json());
});

test("everything works with the keyboard alone", async () => {
  await using demo = await open();
  const { page } = demo;
  const { keyboard } = page;
  const focused = (selector) => page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
  const tabTo = async (selector, most = 25) => {
    for (let presses = 0; presses < most; presses += 1) {
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
      await keyboard.press("Tab");
    }
    assert.fail(`${selector} is not reached in ${most} steps`);
  };
  await tabTo("#count");
  await keyboard.type("3");
  await tabTo('input[name="pace"]');
  await keyboard.press("ArrowRight");
  await tabTo("#path");
  await keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 3);
  await page.waitForSelector("#start:enabled");
  await tabTo("#rows button");
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await page.waitForSelector("#details.open");
  assert.match(await page.textContent("#details-title"), /^Response \d$/);
  assert.equal(await page.locator("#rows tr.chosen").count(), 1);
  const second = await page.locator("#rows tr").nth(1).locator("button").textContent();
  assert.equal(await page.textContent("#details-title"), `Response ${second}`);
  await keyboard.press("Escape");
  await focused("#rows tr:nth-child(2) button");
  assert.equal(await page.locator("#rows tr.chosen").count(), 0);
});

test("the page fits a phone of 360 px", async () => {
  await using demo = await open(PHONE);
  const { page } = demo;
  await fitsWidth(page);
  await demo.send(40, 40);
  await fitsWidth(page);
  await screenshot(page, "phone");
  await page.locator("#rows tr").last().tap();
  await page.waitForSelector("#details.open");
  assert.equal(await page.evaluate(() => document.activeElement.id), "details-title");
  await fitsWidth(page);
  await screenshot(page, "phone-details");
  await page.tap("#close");
  await page.waitForSelector("#details:not(.open)", { state: "attached" });
});

for (const colorScheme of ["light", "dark"]) {
  test(`text has enough contrast in ${colorScheme} mode`, async () => {
    await using demo = await open({ ...WIDE, colorScheme });
    const { page } = demo;
    await demo.send(60, 40);
    await page.locator("#rows tr.refused").first().click();
    await screenshot(page, `mode-${colorScheme}`);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    assert.equal(background[0] < 128, colorScheme === "dark", `the page's background is ${background}`);
    const low = (await contrasts(page)).filter(({ ratio }) => ratio < 4.5);
    assert.deepEqual(low, []);
  });
}

test("responses without a RateLimit header are shown as such", async () => {
  await using demo = await open();
  const { page } = demo;
  await page.route("**/hello", async (route) => {
    const response = await route.fetch();
    const headers = Object.entries(response.headers()).filter(([name]) => !name.startsWith("ratelimit"));
    await route.fulfill({ response, headers: Object.fromEntries(headers) });
  });
  await demo.send(3, null);
  assert.match(await page.textContent("#limits"), /No RateLimit header: no limit applies here/);
  assert.equal(await page.locator("#rows .c-left", { hasText: "no header" }).count(), 3);
});

test("an unreachable Worker is shown in each row", async () => {
  await using demo = await open({}, /ERR_INTERNET_DISCONNECTED/);
  const { page } = demo;
  await page.context().setOffline(true);
  await demo.send(3, null);
  assert.deepEqual(await totals(page), { allowed: 0, refused: 0, failed: 3, rows: 3 });
  assert.match(await page.textContent("#limits"), /does not respond/);
  await page.locator("#rows tr").first().click();
  assert.match(await page.textContent("#details-body"), /No response/);
});

test("stop ends a run, and invalid fields send nothing", async () => {
  await using demo = await open();
  const { page } = demo;
  await demo.press(500, 2);
  await page.waitForSelector("#rows tr");
  await page.click("#stop");
  await page.waitForSelector("#start:enabled");
  assert.match(await page.textContent("#status"), /^Stopped\. /);
  const { rows } = await totals(page);
  assert.ok(rows < 500);
  for (const [field, value] of [["#count", "501"], ["#rate", "0"], ["#path", "//other.example/"], ["#path", "/_sluicegate/health"]]) {
    const valid = await page.inputValue(field);
    await page.fill(field, value);
    assert.equal(await page.getAttribute(field, "aria-invalid"), "true", value);
    assert.notEqual(await page.textContent("#problem"), "");
    await page.click("#start");
    assert.equal((await totals(page)).rows, rows, `${value} was sent`);
    await page.fill(field, valid);
    assert.equal(await page.textContent("#problem"), "");
  }
});
