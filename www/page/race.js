// Two clients read the same value and replace it at the same time with a compare-and-swap. The caller provides the
// API.

/**
 * Runs one race. Returns `{ before, sides, after, message }`. Each of the two `sides` is `{ name, wanted, won,
 * found, message }`; `found` is the value that made it lose. A `message` (else null) explains why the result is
 * unknown.
 */
export async function race(call, names, leftFirst) {
  const before = await call("GET", VALUE);
  if (!before.ok) return { before: null, sides: [], after: null, message: before.message };
  const expected = before.body.value;
  const next = 1 + (Number.parseInt(expected ?? "0", 10) || 0);
  const swap = async (name) => {
    const wanted = `${next} by ${name}`;
    const response = await call("POST", `${VALUE}/swap`, { expected, new: wanted, ttl_ms: DAY_MS });
    const lost = response.problem === "value-conflict";
    return { name, wanted, won: response.ok, found: lost ? response.body.found : null, message: response.ok || lost ? null : response.message };
  };
  // The request that is sent first often wins: `leftFirst` decides at random which one that is.
  const order = leftFirst() ? names : names.toReversed();
  const swaps = new Map(order.map((name) => [name, swap(name)]));
  const sides = await Promise.all(names.map((name) => swaps.get(name)));
  const after = await call("GET", VALUE);
  return { before: expected, sides, after: after.ok ? after.body.value : null, message: after.message };
}

/**
 * Returns the name of the one winner, "neither" if a third client changed the value first, "both" (a bug), or null
 * if the result is unknown.
 */
export function winner({ sides }) {
  if (sides.length === 0) return null;
  const won = sides.filter((side) => side.won);
  if (won.length === 1) return won[0].name;
  if (won.length > 1) return "both";
  return sides.some(({ message }) => message !== null) ? null : "neither";
}

const VALUE = "/values/demo-race";
const DAY_MS = 86_400_000;
