// The panel of the lock: one tab's side of the fight.

import { byId } from "./dom.js";
import { openTabWithToken } from "./token-transfer.js";
import { announce, eventLog } from "./event-log.js";
import { LockClient } from "./lock-client.js";
import { sleep } from "./load-generator.js";
import { countdown } from "./format.js";

/** Wires the panel. `open()` and `close()` of what is returned say whether the admin API can be asked. */
export function lockPanel(admin) {
  const owner = `tab-${crypto.randomUUID().slice(0, 4)}`;
  const ttl = byId("ttl");
  const buttons = Object.fromEntries(["acquire", "renew", "release", "write"].map((id) => [id, byId(id)]));
  const secondTab = byId("second-tab");
  const log = eventLog(byId("lock-log"));
  const status = byId("lock-status");
  // Other tabs hear that something has changed, so that they look again at once. It carries no secret.
  const tabs = new BroadcastChannel("sluicegate-demo-lock");
  let isOpen = false;
  let busy = false;
  let waiting = null;
  let wake = () => {};
  let ticking = null;
  let writes = 0;

  const client = new LockClient({
    call: (...request) => admin.call(...request),
    owner,
    now: () => performance.now(),
    pause(ms, signal) {
      const waker = new AbortController();
      wake = () => waker.abort();
      return sleep(ms, AbortSignal.any([signal, waker.signal]));
    },
    onChange(tone, text) {
      log.add(tone, text);
      announce(status, tone, text);
      show();
    },
  });

  const show = () => {
    const { phase, token } = client;
    const free = isOpen && !busy;
    byId("lock-state").dataset.phase = phase;
    byId("lock-token").textContent = token ?? "–";
    buttons.acquire.textContent = phase === "waiting" ? "Stop waiting" : "Acquire";
    buttons.acquire.disabled = !(free || waiting !== null) || phase === "held";
    buttons.renew.disabled = !free || !(phase === "held" || phase === "over");
    buttons.release.disabled = buttons.renew.disabled;
    buttons.write.disabled = !isOpen || token === null || (busy && waiting === null);
    buttons.write.textContent = token === null ? "Write" : `Write ${phase === "held" ? "" : "late, "}with ${token}`;
    secondTab.disabled = !isOpen;
    tick();
    if (phase === "held") ticking ??= setInterval(tick, TICK_MS);
  };
  const tick = () => {
    const text = client.phase === "held" ? `held, ${countdown(Math.max(0, client.endsAt - performance.now()))}` : PHASES[client.phase];
    if (byId("lock-state-text").textContent !== text) byId("lock-state-text").textContent = text;
    if (client.phase === "held") return client.expire();
    clearInterval(ticking);
    ticking = null;
  };
  const read = async () => {
    if (!isOpen) return;
    const { text, message } = await client.read();
    byId("lock-value").textContent = message ?? text ?? "nothing yet";
  };
  /** Does one thing at a time. A button that is disabled meanwhile loses the focus: it goes to what can be pressed next. */
  const act = async (button, action) => {
    busy = true;
    show();
    await action();
    busy = false;
    show();
    tabs.postMessage("changed");
    await read();
    const next = [button, buttons.write, buttons.acquire].find(({ disabled }) => !disabled);
    if (document.activeElement === document.body) next?.focus({ preventScroll: true });
  };
  /** The length of a hold in milliseconds, or null with the problem shown. */
  const ttlMs = () => {
    const good = ttl.checkValidity();
    byId("lock-problem").textContent = good ? "" : "A hold lasts from 1 to 600 seconds.";
    if (good) ttl.removeAttribute("aria-invalid");
    else {
      ttl.setAttribute("aria-invalid", "true");
      ttl.focus();
    }
    return good ? Math.round(ttl.valueAsNumber * 1000) : null;
  };

  byId("lock-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (waiting !== null) return waiting.abort();
    if (buttons.acquire.disabled) return;
    const ms = ttlMs();
    if (ms === null) return;
    waiting = new AbortController();
    await act(buttons.acquire, () => client.acquire(ms, waiting.signal));
    waiting = null;
    show();
  });
  buttons.renew.addEventListener("click", () => {
    const ms = ttlMs();
    if (ms !== null) act(buttons.renew, () => client.renew(ms));
  });
  buttons.release.addEventListener("click", () => act(buttons.release, () => client.release()));
  buttons.write.addEventListener("click", async () => {
    writes += 1;
    await client.write(`${owner}, token ${client.token}, write ${writes}`);
    tabs.postMessage("changed");
    await read();
  });
  secondTab.addEventListener("click", () => {
    if (!openTabWithToken(admin.token)) announce(status, "bad", "The browser did not let the page open a tab. Open it by hand, and unlock it there.");
  });
  ttl.addEventListener("input", () => ttl.checkValidity() && ttlMs());
  tabs.addEventListener("message", () => {
    wake();
    read();
  });
  byId("owner").textContent = owner;
  show();

  return {
    open() {
      isOpen = true;
      announce(status, "note", "");
      show();
      return read();
    },
    close() {
      isOpen = false;
      waiting?.abort();
      announce(status, "note", "Unlock the admin API to begin.");
      show();
    },
  };
}

const PHASES = { none: "not held here", waiting: "waiting", over: "ended" };
const TICK_MS = 100;
