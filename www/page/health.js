// Whether the gate works, as it says itself.

import { byId } from "./dom.js";

/** Shows what the gate's health endpoint says, and asks again as long as that is not good. */
export async function showHealth() {
  const { state, text } = await ask();
  byId("health").dataset.state = state;
  byId("health-text").textContent = text;
  if (state !== "ok") setTimeout(showHealth, AGAIN_MS);
}

async function ask() {
  try {
    const response = await fetch("/_sluicegate/health", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (response.ok) return { state: "ok", text: "gate is up" };
    const { part = "gate" } = await response.json();
    return { state: "bad", text: PARTS[part] ?? "gate is not well" };
  } catch {
    return { state: "bad", text: "gate is out of reach" };
  }
}

const AGAIN_MS = 5_000;
const PARTS = { redis: "Redis does not respond", configuration: "configuration is broken" };
