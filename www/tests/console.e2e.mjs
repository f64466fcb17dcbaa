// The console in a headless browser, from start to end, against a running Worker with real Redis. Its plan "free" has a
// fixed_window "day" of 5 per day, its plan "pro" the same of 50 and a token_bucket "burst" of 100 per second. Its path
// /keyed requires a key.
//
//   SLUICEGATE_URL=http://127.0.0.1:8787/_sluicegate/demo/ SLUICEGATE_ADMIN_TOKEN=… node --test www/tests/console.e2e.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { open, REFUSALS, screenshot, token, url, visit, waitForText, WIDE } from "./browser.mjs";
import { callApi, consoleUrl, createTenant, go, openConsole, send, unlockConsole } from "./console-browser.mjs";

test("a tenant lives from its creation to its deletion", async () => {
  await using opened = await openConsole(WIDE, { expected: REFUSALS });
  const { page } = opened;
  const id = `shop-${crypto.randomUUID().slice(0, 8)}`;
  const row = (selector, pattern) => waitForText(page, selector, pattern);

  await page.click("#new-tenant");
  await page.fill("#create-id", "No Good");
  await page.click("#create-action");
  await waitForText(page, "#create-problem", /^Id: .*\(400\)$/);
  await page.fill("#create-id", id);
  await page.selectOption("#create-plan", "free");
  await page.click("#create-action");
  await waitForText(page, "#tenant-name", new RegExp(`^${id}$`));
  assert.equal(await page.evaluate(() => document.activeElement.id), "tenant-name");
  assert.match(await page.textContent("#plan-limits"), /day fixed window: 5 per day/);

  await page.click("#key-form button");
  await page.waitForSelector("#created-key:not([hidden])");
  const key = await page.textContent("#key");
  assert.match(key, /^sgk_shop-[0-9a-f]{8}_[0-9A-Za-z]{33}$/);
  await page.click("#hide-key");
  assert.ok(!(await page.content()).includes(key), "the key is shown once");
  assert.equal(await page.locator("#key-rows tr").count(), 1);

  const statuses = [];
  for (let sent = 0; sent < 6; sent += 1) statuses.push(await send(key));
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429]);
  await page.click("#tenant-usage");
  await row("#usage-limit-rows", /day.*fixed window.*5.*100 %.*5.*0/);
  await waitForText(page, "#history-tiles", /Today, so far5/);

  await go(page, "#live", `#live-rows a[href="#usage/${id}"]`);
  await waitForText(page, "#live-rows tr", new RegExp(`refused 429 quota-exceeded.*${id}.*day`));

  await go(page, `#tenants/${id}`, "#tenant:not([hidden])");
  await page.selectOption("#plan", "pro");
  await page.click("#plan-form button[type=submit]");
  await waitForText(page, "#tenant-done", /^The plan is now pro\.$/);
  assert.equal(await send(key), 200, "the plan has a higher limit, and the usage stays");

  await page.selectOption("#override-limit", "day");
  await page.fill("#override-value", "0");
  await page.click("#override-form button");
  await waitForText(page, "#override-problem", /whole number/);
  await page.fill("#override-value", "7");
  await page.fill("#override-until", "2099-12-31T18:30");
  await page.click("#override-form button");
  await waitForText(page, "#tenant-done", /^day is now 7 for this tenant until 2099-12-31 18:30 UTC\.$/);
  assert.match(await page.textContent("#override-rows"), /day507–2099-12-31 18:30/);
  assert.deepEqual([await send(key), await send(key)], [200, 429], "six of seven were used");
  const stored = await (await callApi("GET", `/tenants/${id}`)).json();
  assert.deepEqual(stored.overrides, { day: { limit: 7, until: "2099-12-31T18:30:00Z" } });
  await page.click('#override-rows button[aria-label="Remove the override of day"]');
  await waitForText(page, "#tenant-done", /^The override of day is removed\.$/);
  assert.equal(await send(key), 200);

  await page.click("#suspend");
  await page.click("#confirm-action");
  await waitForText(page, "#tenant-state", /^suspended$/);
  assert.equal(await send(key), 403);
  await go(page, "#live", "#live-rows tr");
  await waitForText(page, "#live-rows tr", /refused 403 tenant-suspended.*127\.0\.0\.1/);

  await go(page, `#tenants/${id}`, "#tenant:not([hidden])");
  await page.click("#suspend");
  await waitForText(page, "#tenant-state", /^active$/);
  await page.click("#key-rows button");
  await page.click("#confirm-action");
  await waitForText(page, "#tenant-done", /is revoked\.$/);
  assert.equal(await send(key, "/keyed"), 401);

  await page.click("#delete-tenant");
  assert.ok(await page.isDisabled("#confirm-action"), "the id must be typed");
  await page.fill("#confirm-typed", id);
  await page.click("#confirm-action");
  await page.waitForSelector("#tenant", { state: "hidden" });
  assert.equal((await callApi("GET", `/tenants/${id}`)).status, 404);
  assert.equal(await page.locator(`#tenant-rows a:text-is("${id}")`).count(), 0);
});

test("whoever is slower learns what somebody else has changed", async () => {
  const { id } = await createTenant("free");
  await using opened = await openConsole(WIDE, { expected: REFUSALS });
  const { page } = opened;
  await go(page, `#tenants/${id}`, "#tenant:not([hidden])");
  assert.equal((await callApi("PATCH", `/tenants/${id}`, { metadata: { contact: "ops@example.com" }, status: "suspended" })).status, 200);

  await page.fill("#override-value", "12");
  await page.click("#override-form button");
  await waitForText(page, "#tenant-conflict", /^Somebody else was faster The tenant has changed, and nothing was overwritten .*\(412\)Reload$/);
  await screenshot(page, "console-conflict");
  const untouched = await (await callApi("GET", `/tenants/${id}`)).json();
  assert.deepEqual([untouched.overrides, untouched.status], [{}, "suspended"]);

  await page.click("#tenant-conflict button");
  await waitForText(page, "#tenant-done", /^Changed by somebody else: Status: active → suspended; Metadata contact: none → “ops@example\.com”\.$/);
  assert.equal(await page.textContent("#tenant-state"), "suspended");
  assert.equal(await page.inputValue("#override-value"), "12", "what was typed stays");
  await page.click("#override-form button");
  await waitForText(page, "#tenant-done", /^day is now 12/);

  // A key that somebody else has revoked, and a tenant that somebody else has deleted.
  const keys = (await (await callApi("GET", `/tenants/${id}/keys`)).json()).keys;
  await callApi("DELETE", `/tenants/${id}/keys/${keys[0].id}`);
  await page.click("#key-rows button");
  await page.click("#confirm-action");
  await waitForText(page, "#tenant-conflict", /^Somebody else was faster.*has no key.*\(404\)Reload$/);
  await page.click("#tenant-conflict button");
  await waitForText(page, "#tenant-done", /^Changed by somebody else: Key .*: does not expire → none\.$/);
  await callApi("DELETE", `/tenants/${id}`);
  await page.click("#suspend");
  await waitForText(page, "#tenant-conflict", /^Somebody deleted this tenant.*\(404\)Close$/);
  await page.click("#tenant-conflict button");
  await page.waitForSelector("#tenant", { state: "hidden" });

  const { id: taken } = await createTenant("free");
  await page.click("#new-tenant");
  await page.fill("#create-id", taken);
  await page.click("#create-action");
  await waitForText(page, "#create-problem", /already.*\(409\) Open t-/);
  await page.click("#create-problem a");
  await waitForText(page, "#tenant-name", new RegExp(`^${taken}$`));
});

test("a question about one tenant is not answered for another", async () => {
  const [{ id: first }, { id: second }] = [await createTenant("free"), await createTenant("free")];
  await using opened = await openConsole(WIDE);
  const { page } = opened;
  for (const id of [first, second]) await go(page, `#tenants/${id}`, `#tenant-name:text-is("${id}")`);
  await page.click("#suspend");
  await page.waitForSelector("#confirm[open]");
  await page.goBack();
  await waitForText(page, "#tenant-name", new RegExp(`^${first}$`));
  assert.ok(await page.isHidden("#confirm"), "the question is gone with its tenant");
  assert.equal(await page.textContent("#tenant-state"), "active");
});

test("a question that is asked again at once is answered once", async () => {
  const { id } = await createTenant("free");
  await using opened = await openConsole(WIDE);
  const { page } = opened;
  await go(page, `#tenants/${id}`, `#tenant-name:text-is("${id}")`);
  await page.click("#suspend");
  await page.waitForSelector("#confirm[open]");
  // The browser reports the closing only after the dialog is open again.
  await page.evaluate(() => {
    document.querySelector("#confirm").close();
    document.querySelector("#suspend").click();
  });
  await page.click("#confirm-action");
  await waitForText(page, "#tenant-done", /^Suspended/);
  assert.ok(await page.isHidden("#confirm"));
  await page.click("#suspend");
  await waitForText(page, "#tenant-done", /^Active again/);
});

test("the configuration and the health are those of the Worker", async () => {
  const { id, key } = await createTenant("pro");
  await using opened = await openConsole(WIDE, { expected: REFUSALS });
  const { page } = opened;
  await go(page, "#configuration", "#plan-rows tr");
  assert.match(await page.textContent("#plan-rows"), /free.*day.*fixed window.*5 per day/);
  assert.match(await page.textContent("#route-rows"), /GET \/keyed.*require_key = true/);

  await page.fill("#explain-path", "/keyed");
  await page.click("#explain-form button.primary");
  await waitForText(page, "#explanation", /^Refused 401 .*GET \/keyed/);
  await page.fill("#explain-headers", `X-API-Key: ${key}`);
  await page.click("#explain-form button.primary");
  await waitForText(page, "#explanation", new RegExp(`^The limits decide.*GET /keyed.*${id}.*pro.*1 unit.*Why`));
  assert.ok(!(await page.textContent("#explanation")).includes(key), "the explanation does not repeat the key");
  await page.click("#explain-form summary");
  await page.fill("#explain-address", "nowhere");
  await page.click("#explain-form button.primary");
  await waitForText(page, "#explain-problem", /^Address: .*\(400\)$/);
  assert.equal(await page.getAttribute("#explain-address", "aria-invalid"), "true");

  await go(page, "#health", "#check-rows tr");
  await waitForText(page, "#health-summary", /^No problems found\.$/);
  assert.match(await page.textContent("#check-rows"), /okbreakerclosed.*okredisreachable, version .*okscriptsrun in the dialect plain/);
});

test("the overview shows the busiest tenant and who is near a limit", async () => {
  const { id, key } = await createTenant("free");
  for (let sent = 0; sent < 5; sent += 1) await send(key);
  await using opened = await openConsole(WIDE);
  const { page } = opened;
  // Isolates report some seconds after a request.
  const near = page.locator("#near-rows tr", { hasText: id });
  for (const deadline = Date.now() + 30_000; Date.now() < deadline && (await near.count()) === 0; ) {
    await go(page, "#health", "#check-rows tr");
    await go(page, "#usage", "#usage-overview:not([hidden])");
  }
  assert.match(await near.textContent(), new RegExp(`${id}day.*100 %50`));
  assert.match(await page.textContent("#top-rows"), new RegExp(`${id}.*free.*5`));
  await near.locator("a").click();
  await waitForText(page, "#usage-name", new RegExp(`^${id}$`));
});

test("the token and what the API said leave the page together", async () => {
  const { id } = await createTenant("free", { metadata: { contact: "secret@example.com" } });
  await using opened = await openConsole(WIDE);
  const { page } = opened;
  await go(page, `#tenants/${id}`, "#tenant:not([hidden])");
  await waitForText(page, "#metadata-facts", /secret@example\.com/);
  const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, document.documentElement.outerHTML, location.href]));
  assert.ok(!stored.includes(token), "the token is stored elsewhere");
  await page.click("#forget-token");
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  for (const name of ["tenants", "usage", "live", "configuration", "health"]) assert.ok(await page.isHidden(`[data-section="${name}"]`), name);
  const left = await page.evaluate(() => document.body.innerHTML);
  for (const said of [id, "secret@example.com", ">free<", ">pro<"]) assert.ok(!left.includes(said), said);
  await unlockConsole(page);
  await page.waitForSelector("#tenant:not([hidden])");
});

test("the demo page leads to the console, which has no reference to it", async () => {
  await using demo = await open(WIDE);
  const { page } = demo;
  await page.click("a#console");
  await page.waitForURL(consoleUrl);
  await page.waitForSelector("#unlock:enabled");
});

test("the policy forbids everything that the console does not need", async () => {
  const redirect = await fetch(consoleUrl.replace(/\/$/, ""), { redirect: "manual" });
  assert.deepEqual([redirect.status, new URL(redirect.headers.get("location"), url).href], [307, consoleUrl]);
  assert.equal((await fetch(consoleUrl, { method: "POST" })).status, 405);
  for (const file of ["", "main.js", "style.css"]) {
    const { headers } = await fetch(new URL(file, consoleUrl));
    const policy = headers.get("content-security-policy");
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'.*frame-ancestors 'none'/, file);
    assert.ok(!policy.includes("unsafe"), file);
    assert.deepEqual([headers.get("x-content-type-options"), headers.get("referrer-policy"), headers.get("cross-origin-opener-policy")], ["nosniff", "no-referrer", "same-origin"], file);
  }

  const opened = await openConsole(WIDE, { expected: /Content Security Policy|TrustedHTML|trusted types/i });
  const { page, violations } = opened;
  await page.evaluate(() => {
    import("https://example.com/x.js").catch(() => {});
    document.body.setAttribute("style", "color: red");
    document.body.append(Object.assign(document.createElement("img"), { src: "https://example.com/x.png" }));
    try {
      document.body.lastChild.innerHTML = "<b>x</b>";
    } catch {
      // Trusted types forbid it.
    }
    fetch("https://example.com/").catch(() => {});
  });
  const directives = ["script-src-elem", "style-src-attr", "img-src", "connect-src", "require-trusted-types-for"];
  for (const directive of directives) {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline && !violations.some((text) => text.startsWith(directive)); ) await page.waitForTimeout(20);
    assert.ok(violations.some((text) => text.startsWith(directive)), directive);
  }
  violations.length = 0;
  await opened[Symbol.asyncDispose]();
});

test("no page can frame the console, or hold a reference to it", async () => {
  await using other = await visit(new URL("/hello", url).href);
  const { page } = other;
  const refused = page.waitForEvent("console", { predicate: (message) => /frame-ancestors/.test(message.text()) });
  await page.evaluate((address) => document.documentElement.append(Object.assign(document.createElement("iframe"), { src: address })), consoleUrl);
  await refused;
  const [popup] = await Promise.all([page.context().waitForEvent("page"), page.evaluate((address) => void (globalThis.opened = open(address)), consoleUrl)]);
  await popup.waitForSelector("#unlock:enabled");
  assert.equal(await popup.evaluate(() => opener), null);
  assert.equal(await page.evaluate(() => globalThis.opened.closed), true, "the page of the origin cannot read it");
});
