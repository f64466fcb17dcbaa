// Does the checks of a release and prints a line for each.

import { NotReached } from "./command.mjs";

/**
 * Does all checks, and returns whether none failed.
 *
 * @param {import("./checks.mjs").Check[]} checks
 * @param {{offline: boolean, print: (line: string) => void}} options `offline`: a check that could not reach what it needs
 *   counts as not done
 */
export async function report(checks, { offline, print }) {
  const count = { ok: 0, "NOT DONE": 0, FAILED: 0 };
  for (const { name, check } of checks) {
    const [state, detail] = await outcome(check, offline);
    count[state] += 1;
    print(`${state.padEnd(8)}  ${name}: ${detail.trimEnd().replaceAll("\n", `\n${" ".repeat(10)}`)}`);
  }
  print(`${count.ok} ok, ${count["NOT DONE"]} not done, ${count.FAILED} failed`);
  return count.FAILED === 0;
}

async function outcome(check, offline) {
  try {
    return ["ok", await check()];
  } catch (error) {
    if (!(error instanceof NotReached)) return ["FAILED", error.message];
    return offline ? ["NOT DONE", error.message] : ["FAILED", `${error.message} (RELEASE_OFFLINE=1 releases without this check)`];
  }
}
