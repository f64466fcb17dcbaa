// The panel of the lock: one tab's side of the fight.

import { byId } from "./dom.js";
import { openTab } from "./token-transfer.js";
import { journal as newJournal, say } from "./event-log.js";
import { Lease } from "./lock-client.js";
import { sleep } from "./load-generator.js";
import { countdown } from "./format.js";

/** Wires the panel. `open()` and `close()` of what is returned say whether the admin API can be asked. */
export function lock(admin) {
  const owner = `tab-${crypto.randomUUID().slice(0, 4)}`;
  const ttl = byId("ttl");
  const buttons = Object.fromEntries(["acquire", "renew", "release", "write", "second"].map((id) => [id, byId(id)]));
  const journal = newJournal(byId("lock-journal"));
  const status = byId("lock-status");
  // Other tabs hear that something has changed, so that they look again at once. It carries no secret.
  const tabs = new BroadcastChannel("sluicegate-demo-lock");
  let isOpen = false;
  let busy = false;
  let waiting = null;
  let wake = () => {};
  let ticking = null;
  let writes = 0;

  const lease = new Lease({
    call: (...request) => admin.call(...request),
    owner,
    now: () => performance.now(),
    pause(ms, signal) {
      const waker = new AbortController();
      wake = () => waker.abort();
      return sleep(ms, AbortSignal.any([signal, waker.signal]));
    },
    onChange(tone, text) {
      journal.note(tone, text);
      say(status, tone, text);
      show();
    },
  });

  const show = () => {
    const { phase, token } = lease;
    const free = isOpen && !busy;
    byId("hold").dataset.phase = phase;
    byId("hold-token").textContent = token ?? "–";
    buttons.acquire.textContent = phase === "waiting" ? "Stop waiting" : "Acquire";
    buttons.acquire.disabled = !(free || waiting !== null) || phase === "held";
    buttons.renew.disabled = !free || !(phase === "held" || phase === "over");
    buttons.release.disabled = buttons.renew.disabled;
    buttons.write.disabled = !isOpen || token === null || (busy && waiting === null);
    buttons.write.textContent = token === null ? "Write" : `Write ${phase === "held" ? "" : "late, "}with ${token}`;
    buttons.second.disabled = !isOpen;
    tick();
    if (phase === "held") ticking ??= setInterval(tick, TICK_MS);
  };
  const tick = () => {
    const text = lease.phase === "held" ? `held, ${countdown(Math.max(0, lease.endsAt - performance.now()))}` : PHASES[lease.phase];
    if (byId("hold-text").textContent !== text) byId("hold-text").textContent = text;
    if (lease.phase === "held") return lease.expire();
    clearInterval(ticking);
    ticking = null;
  };
  const read = async () => {
    if (!isOpen) return;
    const { text, sentence } = await lease.read();
    byId("guarded").textContent = sentence ?? text ?? "nothing yet";
  };
  /** Does one thing at a time. A button that is disabled meanwhile loses the focus: it goes to what can be pressed next. */
  const act = async (button, deed) => {
    busy = true;
    show();
    await deed();
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
    await act(buttons.acquire, () => lease.acquire(ms, waiting.signal));
    waiting = null;
    show();
  });
  buttons.renew.addEventListener("click", () => {
    const ms = ttlMs();
    if (ms !== null) act(buttons.renew, () => lease.renew(ms));
  });
  buttons.release.addEventListener("click", () => act(buttons.release, () => lease.release()));
  buttons.write.addEventListener("click", async () => {
    writes += 1;
    await lease.write(`${owner}, token ${lease.token}, write ${writes}`);
    tabs.postMessage("changed");
    await read();
  });
  buttons.second.addEventListener("click", () => {
    if (!openTab(admin.token)) say(status, "bad", "The browser did not let the page open a tab. Open it by hand, and unlock it there.");
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
      say(status, "note", "");
      show();
      return read();
    },
    close() {
      isOpen = false;
      waiting?.abort();
      say(status, "note", "Unlock the admin API to begin.");
      show();
    },
  };
}

const PHASES = { none: "not held here", waiting: "waiting", over: "ended" };
const TICK_MS = 100;
