// The health indicator in the top bar.

import { byId } from "./dom.js";

/** Shows the health of sluicegate, and checks again until it is healthy. */
export async function showHealth() {
  const { state, text } = await checkHealth();
  byId("health").dataset.state = state;
  byId("health-text").textContent = text;
  if (state !== "ok") setTimeout(showHealth, RETRY_MS);
}

async function checkHealth() {
  try {
    const response = await fetch("/_sluicegate/health", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (response.ok) return { state: "ok", text: "healthy" };
    const { part } = await response.json();
    return { state: "bad", text: PARTS[part] ?? "unhealthy" };
  } catch {
    return { state: "bad", text: "unreachable" };
  }
}

const RETRY_MS = 5_000;
const PARTS = { redis: "Redis is unavailable", configuration: "invalid configuration" };
