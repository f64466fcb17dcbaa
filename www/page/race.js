// Two sides that start from the same reading and swap at the same time. The API comes from outside.

/**
 * One race: `{ before, sides, after, message }`. Each of the two `sides` is `{ name, wanted, won, found, message }`:
 * `found` is what a loser met instead. A `message` (else null) says why nothing is known.
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
  // Whoever is sent first is often judged first: a leftFirst decides who that is.
  const order = leftFirst() ? names : names.toReversed();
  const swapped = new Map(order.map((name) => [name, swap(name)]));
  const sides = await Promise.all(names.map((name) => swapped.get(name)));
  const after = await call("GET", VALUE);
  return { before: expected, sides, after: after.ok ? after.body.value : null, message: after.message };
}

/** How a race ended: the name of its one winner; "neither": somebody else was faster; "both" must not be; null: unknown. */
export function winner({ sides }) {
  if (sides.length === 0) return null;
  const won = sides.filter((side) => side.won);
  if (won.length === 1) return won[0].name;
  if (won.length > 1) return "both";
  return sides.some(({ message }) => message !== null) ? null : "neither";
}

const VALUE = "/values/demo-race";
const DAY_MS = 86_400_000;
