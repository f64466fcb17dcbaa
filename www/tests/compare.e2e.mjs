// The Compare view in a headless browser, against a running Worker with an admin token.

import assert from "node:assert/strict";
import { test } from "node:test";
import { contrasts, fitsWidth, open, PHONE, REFUSALS, screenshot, unlock, waitForText, WIDE } from "./browser.mjs";

const PRESETS = ["steady", "bursty", "boundary", "herd", "patient", "impatient"];
const ALGORITHMS = ["sliding_log", "sliding_window", "fixed_window", "token_bucket", "concurrency"];
const link = (preset, limit, demand) => `#compare?preset=${preset}&limit=${limit}&window=10s&burst=${limit}&demand=${demand}&hold=1s&seed=1`;

/** Goes to a fragment of the page, and waits until the simulation of its setting is shown. */
async function compare(page, fragment) {
  await page.evaluate((hash) => {
    if (location.hash === hash) return;
    document.querySelector("#compare-status").textContent = "";
    location.hash = hash;
  }, fragment);
  await simulated(page);
}

const simulated = (page) => waitForText(page, "#compare-status", /^6 limiters decided [\d,]+ requests in /);

/** Returns what the row of a model says, by the term. */
function facts(page, model) {
  return page.locator(`[data-model="${model}"] .facts > div`).evaluateAll((pairs) =>
    Object.fromEntries(pairs.map((pair) => [pair.querySelector("dt").textContent, pair.querySelector("dd").firstChild.data])),
  );
}

test("a boundary attack passes twice the limit, except by the log", async () => {
  await using demo = await open(WIDE);
  const { page } = demo;
  await page.click('a[href="#compare"]');
  await simulated(page);
  assert.equal(await page.evaluate(() => location.hash), link("boundary", 100, 100));
  assert.equal((await facts(page, "sliding_log"))["Worst window"], "100");
  assert.equal(await page.locator('[data-model="sliding_log"] .over').count(), 0);
  for (const model of ["sliding_window", "fixed_window", "token_bucket", "two_counters"]) {
    assert.ok(Number((await facts(page, model))["Worst window"]) >= 190, model);
    assert.equal(await page.locator(`[data-model="${model}"] path.over`).count(), 1, model);
  }
  assert.equal(await page.locator(".model .graph").count(), 6);
  await screenshot(page, "compare-boundary");
});

test("a link shows the same numbers again, for every kind of traffic", async () => {
  await using demo = await open(WIDE);
  const { page } = demo;
  await compare(page, link("herd", 50, 100));
  for (const preset of PRESETS) {
    await page.evaluate(() => (document.querySelector("#compare-status").textContent = ""));
    await page.locator(`#compare-presets input[value="${preset}"]`).check({ force: true });
    await simulated(page);
    await screenshot(page, `compare-${preset}`);
    const fragment = await page.evaluate(() => location.hash);
    const shown = await page.textContent("#compare-rows");
    await using again = await open(WIDE);
    await compare(again.page, fragment);
    assert.equal(await again.page.textContent("#compare-rows"), shown, fragment);
    assert.equal(await again.page.evaluate(() => location.hash), fragment);
    assert.equal(await again.page.locator("#compare-presets input:checked").getAttribute("value"), preset);
  }
});

test("a link with an invalid setting is refused with its reason", async () => {
  await using demo = await open();
  const { page } = demo;
  await compare(page, link("steady", 100, 120));
  for (const [fragment, reason] of [
    ["#compare?preset=steady", /limit: is missing/],
    [`${link("steady", 100, 120)}&color=red`, /color: unknown \(fields: preset, /],
    [link("steady", 0, 120), /limit: expected 1 to 100000, found 0/],
    [link("stedy", 100, 120), /preset: expected steady, bursty, .* found "stedy"/],
  ]) {
    await page.evaluate((hash) => (location.hash = hash), fragment);
    await waitForText(page, "#compare-problem", reason);
    assert.equal(await page.locator(".model:visible").count(), 0, fragment);
    assert.equal(await page.evaluate(() => location.hash), fragment, "the address stays as it was given");
  }
  await compare(page, link("herd", 100, 100));
  assert.equal(await page.textContent("#compare-problem"), "");
  await page.fill("#compare-demand", "5000");
  await waitForText(page, "#compare-problem", /^Demand: expected 10 to 1000, found 5000\.$/);
  assert.equal(await page.getAttribute("#compare-demand", "aria-invalid"), "true");
  assert.equal(await page.evaluate(() => location.hash), link("herd", 100, 100));
});

test("sliders work with the keyboard", async () => {
  await using demo = await open();
  const { page } = demo;
  await compare(page, link("steady", 100, 120));
  await page.focus('[name="limit-slider"]');
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => location.hash.includes("limit=110&window=10s&burst=110"));
  assert.equal(await page.getAttribute('[name="limit-slider"]', "aria-valuetext"), "110");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "compare-window");
  await page.focus('#compare-presets input:checked');
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => location.hash.startsWith("#compare?preset=bursty&limit=110"));
});

test("a million requests leave the page responsive", async (context) => {
  await using demo = await open(WIDE);
  const { page } = demo;
  await compare(page, link("steady", 100, 200));
  await page.evaluate(() => (document.querySelector("#compare-status").textContent = ""));
  await page.click("#compare-million");
  // The page answers while the simulation runs.
  assert.equal(await page.inputValue("#compare-limit"), "50000");
  await simulated(page);
  const status = await page.textContent("#compare-status");
  assert.match(status, /^6 limiters decided 6,000,000 requests in /);
  context.diagnostic(status);
});

test("live decisions coincide with the simulation", async (context) => {
  await using demo = await open(WIDE, REFUSALS);
  const { page } = demo;
  await unlock(page, "compare");
  for (const preset of ["boundary", "patient", "bursty"]) {
    await compare(page, link(preset, 100, preset === "patient" ? 150 : 100));
    await page.click("#compare-send");
    await page.waitForSelector("#compare-send:enabled", { timeout: 120_000 });
    const result = await page.textContent("#compare-live-status");
    assert.match(result, /^All [\d,]+ live decisions coincide with the simulation\.$/, preset);
    context.diagnostic(`${preset}: ${result}`);
    for (const model of ALGORITHMS) {
      assert.match((await facts(page, model))["Live = simulated"], /^([\d,]+) of \1$/, model);
      assert.match(await page.getAttribute(`[data-model="${model}"] .live`, "d"), /^M[\d.]+ /, model);
    }
    assert.ok(await page.isHidden('[data-model="two_counters"]'), "no Worker runs the model");
    await screenshot(page, `compare-live-${preset}`);
  }
});

test("a live run that is stopped or fails says so", async () => {
  await using demo = await open(WIDE, /status of (4\d\d|503)/);
  const { page } = demo;
  await unlock(page, "compare");
  await simulated(page);
  await page.click("#compare-send");
  await page.click("#compare-stop");
  await waitForText(page, "#compare-live-status", /^Stopped\.$/);
  await page.route("**/_sluicegate/v1/check", (route) =>
    route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ detail: "Redis did not answer" }) }),
  );
  await page.click("#compare-send");
  await waitForText(page, "#compare-live-status", /^Stopped: a request was not decided\. Redis did not answer\. \(503\)/);
});

for (const colorScheme of ["light", "dark"]) {
  test(`text has enough contrast in ${colorScheme} mode, on a phone and wide`, async () => {
    for (const [name, options] of [["wide", WIDE], ["phone", PHONE]]) {
      await using demo = await open({ ...options, colorScheme });
      const { page } = demo;
      await compare(page, link("impatient", 100, 200));
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
      await fitsWidth(page);
      assert.deepEqual((await contrasts(page)).filter(({ ratio }) => ratio < 4.5), []);
      await screenshot(page, `compare-${name}-${colorScheme}`);
    }
  });
}
