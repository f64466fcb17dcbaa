// The panel of the race: two sides, one value, one winner each time.

import { byId } from "./dom.js";
import { announce, eventLog } from "./event-log.js";
import { race, winner } from "./race.js";

const SIDES = ["left", "right"];
const MANY = 20;

/** Wires the panel. `open()` and `close()` of what is returned say whether the admin API can be asked. */
export function racePanel(admin) {
  const once = byId("race");
  const many = byId("race-many");
  const status = byId("race-status");
  const score = { left: 0, right: 0, both: 0, neither: 0 };
  const log = eventLog(byId("race-log"));
  let isOpen = false;
  let running = false;

  const show = () => {
    for (const button of [once, many]) button.disabled = !isOpen || running;
    for (const [name, count] of Object.entries(score)) byId(`score-${name}`).textContent = count;
  };
  const one = async () => {
    const result = await race((...request) => admin.call(...request), SIDES, () => Math.random() < 0.5);
    const won = winner(result);
    if (won !== null) score[won] += 1;
    for (const side of result.sides) showSide(side);
    if (result.sides.length > 0) byId("race-value").textContent = result.after ?? "unknown";
    const text = describeRace(result, won);
    const tone = SIDES.includes(won) ? "good" : "bad";
    log.add(tone, text);
    show();
    return { won, tone, text };
  };
  const run = async (button, count) => {
    running = true;
    show();
    let last = null;
    let done = 0;
    for (; done < count && last?.won !== null && isOpen; done += 1) last = await one();
    running = false;
    show();
    const { left, right, both, neither } = score;
    const sum = `So far left has won ${left}, right ${right}, both together ${both}, neither ${neither}.`;
    if (count === 1 || last.won === null) announce(status, last.tone, last.text);
    else announce(status, "note", `${done} races done. ${sum}`);
    if (document.activeElement === document.body && !button.disabled) button.focus({ preventScroll: true });
  };

  once.addEventListener("click", () => run(once, 1));
  many.addEventListener("click", () => run(many, MANY));
  show();

  return {
    open() {
      isOpen = true;
      announce(status, "note", "");
      show();
    },
    close() {
      isOpen = false;
      announce(status, "note", "Unlock the admin API to begin.");
      show();
    },
  };
}

/** What became of a side. */
function showSide({ name, wanted, won, found, message }) {
  const place = byId(`lane-${name}`);
  place.dataset.state = won ? "won" : "lost";
  place.querySelector("p").textContent = won ? `Won: wrote “${wanted}”.` : (message ?? `Lost: found “${found ?? "nothing"}” instead.`);
}

/** A race in a message. */
function describeRace({ before, sides, message }, won) {
  const from = before === null ? "nothing" : `“${before}”`;
  if (SIDES.includes(won)) return `Both read ${from}. ${won === "left" ? "Left" : "Right"} won, the other was refused.`;
  if (won === "neither") return `Both read ${from}, but somebody else was faster than either.`;
  if (won === "both") return `Both read ${from}, and both won: that must not be.`;
  return message ?? sides.find((side) => side.message !== null)?.message ?? "Nothing is known of this race.";
}
