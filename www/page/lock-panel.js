// The lock panel: one tab is one client of the lock.

import { adminPanel } from "./admin-panel.js";
import { byId, restoreFocus, setInvalid } from "./dom.js";
import { countdown } from "./format.js";
import { LockClient } from "./lock-client.js";
import { sleep } from "./sleep.js";
import { openTabWithToken } from "./token-transfer.js";

/** Connects the panel. Returns `open()` and `close()`, to be called when the admin API is unlocked and locked. */
export function lockPanel(admin) {
  const owner = `tab-${crypto.randomUUID().slice(0, 4)}`;
  const ttl = byId("ttl");
  const buttons = Object.fromEntries(["acquire", "renew", "release", "write"].map((id) => [id, byId(id)]));
  const secondTab = byId("second-tab");
  // Tells the other tabs to read the value again. It carries no secret.
  const tabs = new BroadcastChannel("sluicegate-demo-lock");
  let busy = false;
  let waiting = null;
  let wake = () => {};
  let ticking = null;
  let writes = 0;

  const panel = adminPanel("lock", () => {
    if (!panel.unlocked) waiting?.abort();
    show();
    return read();
  });
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
      panel.log(tone, text);
      panel.announce(tone, text);
      show();
    },
  });

  const show = () => {
    const { phase, token } = client;
    const ready = panel.unlocked && !busy;
    byId("lock-state").dataset.phase = phase;
    byId("lock-token").textContent = token ?? "–";
    buttons.acquire.textContent = phase === "waiting" ? "Stop waiting" : "Acquire";
    buttons.acquire.disabled = !(ready || waiting !== null) || phase === "held";
    buttons.renew.disabled = !ready || !(phase === "held" || phase === "expired");
    buttons.release.disabled = buttons.renew.disabled;
    buttons.write.disabled = !panel.unlocked || token === null || (busy && waiting === null);
    buttons.write.textContent = token === null ? "Write" : `Write ${phase === "held" ? "" : "anyway "}with token ${token}`;
    secondTab.disabled = !panel.unlocked;
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
    if (!panel.unlocked) return;
    const { text, message } = await client.read();
    byId("lock-value").textContent = message ?? text ?? "none";
  };
  /** Runs one action at a time. If its button becomes disabled, the focus moves to the next enabled one. */
  const act = async (button, action) => {
    busy = true;
    show();
    await action();
    busy = false;
    show();
    tabs.postMessage("changed");
    await read();
    restoreFocus([button, buttons.write, buttons.acquire].find(({ disabled }) => !disabled));
  };
  /** Returns the lease in milliseconds. Shows an error and returns null if the field is invalid. */
  const ttlMs = () => {
    const valid = ttl.checkValidity();
    byId("lock-problem").textContent = valid ? "" : "Lease: enter 1 to 600 seconds.";
    setInvalid(ttl, !valid);
    if (!valid) ttl.focus();
    return valid ? Math.round(ttl.valueAsNumber * 1000) : null;
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
    if (!openTabWithToken(admin.token)) panel.announce("bad", "The browser blocked the new tab. Open one yourself and unlock it there.");
  });
  ttl.addEventListener("input", () => ttl.checkValidity() && ttlMs());
  tabs.addEventListener("message", () => {
    wake();
    read();
  });
  byId("owner").textContent = owner;
  show();

  return panel;
}

const PHASES = { none: "not held by this tab", waiting: "waiting", expired: "expired" };
const TICK_MS = 100;
