// The race panel: two clients, one value, one winner per race.

import { adminPanel } from "./admin-panel.js";
import { byId, restoreFocus } from "./dom.js";
import { race, winner } from "./race.js";

const SIDES = ["left", "right"];
const MANY = 20;

/** Connects the panel. Returns `open()` and `close()`, to be called when the admin API is unlocked and locked. */
export function racePanel(admin) {
  const once = byId("race");
  const many = byId("race-many");
  const score = { left: 0, right: 0, both: 0, neither: 0 };
  let running = false;

  const show = () => {
    for (const button of [once, many]) button.disabled = !panel.unlocked || running;
    for (const [name, count] of Object.entries(score)) byId(`score-${name}`).textContent = count;
  };
  const panel = adminPanel("race", show);
  const runOne = async () => {
    const result = await race((...request) => admin.call(...request), SIDES, () => Math.random() < 0.5);
    const won = winner(result);
    if (won !== null) score[won] += 1;
    for (const side of result.sides) showSide(side);
    if (result.sides.length > 0) byId("race-value").textContent = result.after ?? "unknown";
    const text = describeRace(result, won);
    const tone = SIDES.includes(won) ? "good" : "bad";
    panel.log(tone, text);
    show();
    return { won, tone, text };
  };
  const run = async (button, count) => {
    running = true;
    show();
    let last = null;
    let done = 0;
    for (; done < count && last?.won !== null && panel.unlocked; done += 1) last = await runOne();
    running = false;
    show();
    const { left, right, both, neither } = score;
    if (count === 1 || last.won === null) panel.announce(last.tone, last.text);
    else panel.announce("note", `${done} races finished. Total: left won ${left}, right won ${right}, both ${both}, neither ${neither}.`);
    if (!button.disabled) restoreFocus(button);
  };

  once.addEventListener("click", () => run(once, 1));
  many.addEventListener("click", () => run(many, MANY));
  show();

  return panel;
}

/** Shows the result of one side. */
function showSide({ name, wanted, won, found, message }) {
  const side = byId(`lane-${name}`);
  side.dataset.state = won ? "won" : "lost";
  side.querySelector("p").textContent = won ? `Won: wrote “${wanted}”.` : (message ?? `Lost: the value was already “${found ?? "nothing"}”.`);
}

/** Describes a race in one sentence. */
function describeRace({ before, sides, message }, won) {
  const from = before === null ? "no value" : `“${before}”`;
  if (won === "left") return `Both read ${from}. Left won, right was refused.`;
  if (won === "right") return `Both read ${from}. Right won, left was refused.`;
  if (won === "neither") return `Both read ${from}, but another client changed it first.`;
  if (won === "both") return `Both read ${from}, and both won. This is a bug.`;
  return message ?? sides.find((side) => side.message !== null)?.message ?? "The result of this race is unknown.";
}
