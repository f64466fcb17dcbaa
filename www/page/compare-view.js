// The Compare view: a setting in the address, simulated in Web Workers, and sent to the Worker on request.

import { Comparison } from "sluicegate-www";
import { compareForm } from "./compare-form.js";
import { FIRST_SETTING, fragmentFor, settingInFragment } from "./compare-link.js";
import { LiveError, sendLive } from "./compare-live.js";
import { plainOutcome } from "./compare-outcome.js";
import { compareRows } from "./compare-rows.js";
import { simulationRunner } from "./compare-runner.js";
import { MODELS, PRESETS } from "./compare-texts.js";
import { byId } from "./dom.js";
import { duration, number } from "./format.js";
import { sleep } from "./sleep.js";

const LIVE_MODELS = MODELS.filter(({ live }) => live).map(({ name }) => name);
// The slowest first, so that no worker is left alone with it.
const ORDER = ["ideal", "concurrency", "sliding_log", "token_bucket", "sliding_window", "fixed_window", "two_counters"];

/** Connects the view. Needs the wasm loaded. Returns functions for when the view is shown or left. */
export function compareView(admin) {
  const status = byId("compare-status");
  const lesson = byId("compare-lesson");
  const unit = byId("compare-unit");
  const sendButton = byId("compare-send");
  const stopButton = byId("compare-stop");
  const liveStatus = byId("compare-live-status");
  const rows = compareRows();
  const simulate = simulationRunner();
  let visible = false;
  let comparison = null;
  let simulated = null;
  let stopper = null;

  const form = compareForm({
    parse: factsIn,
    onChange(setting) {
      history.replaceState(null, "", fragmentFor(setting.text));
      begin(setting);
    },
  });

  /** Simulates a setting and shows it. */
  const begin = (setting) => {
    stopper?.abort();
    comparison?.free();
    comparison = new Comparison(setting.text);
    simulated = null;
    status.textContent = "Simulating…";
    const outcomes = new Map();
    simulate(setting.text, ORDER, {
      onOutcome: (model, outcome) => outcomes.set(model, { outcome }),
      onDone(ms) {
        if (comparison?.text !== setting.text) return;
        const ideal = outcomes.get("ideal").outcome.admitted;
        outcomes.delete("ideal");
        simulated = { setting, outcomes, ideal };
        showSimulated();
        const decisions = [...outcomes.values()].reduce((sum, { outcome }) => sum + outcome.sent, 0);
        status.textContent = `${MODELS.length} limiters decided ${number(decisions)} requests in ${duration(Math.max(1, ms))}, in the background of this page.`;
      },
      onError: (message) => refuse(`The simulation failed: ${message}`),
    });
  };
  const showSimulated = () => {
    const { setting, outcomes, ideal } = simulated;
    describe(setting, PRESETS.find(({ name }) => name === setting.preset).lesson);
    rows.show(setting, outcomes, ideal);
  };
  const describe = (setting, text) => {
    lesson.textContent = text;
    unit.textContent = duration(setting.window);
    rows.describe(setting);
  };
  const refuse = (text) => {
    comparison?.free();
    comparison = null;
    rows.clear();
    lesson.textContent = "";
    status.textContent = "";
    form.fail(text);
  };

  /** Shows what the address says. */
  const follow = () => {
    stopper?.abort();
    const text = settingInFragment(location.hash);
    let setting;
    try {
      setting = factsIn(text ?? comparison?.text ?? FIRST_SETTING);
    } catch (error) {
      form.show(factsIn(FIRST_SETTING));
      return refuse(`This link has no valid setting. ${error.message}. Choose another kind of traffic, or change a number.`);
    }
    if (text === null) history.replaceState(null, "", fragmentFor(setting.text));
    form.show(setting);
    begin(setting);
  };

  /** Sends the traffic to the Worker, and shows its admissions on top of the simulated ones. */
  const send = async () => {
    if (comparison === null) return;
    const live = comparison.live();
    const setting = factsOf(live);
    const lanes = new Map();
    const counts = new Map(LIVE_MODELS.map((model) => [model, { same: 0, all: 0 }]));
    stopper = new AbortController();
    const { signal } = stopper;
    sendButton.disabled = true;
    stopButton.disabled = false;
    const show = () => showLive(setting, lanes, counts);
    let frame = null;
    describe(setting, `Live: the same traffic on a smaller scale, ${number(setting.limit)} requests per ${duration(setting.window)}. Lines are simulated, dots are admissions of the real Worker and the real Redis.`);
    rows.clear();
    status.textContent = "";
    announce("note", `Sending for about ${duration(setting.duration)}.`);
    try {
      await sendLive({
        admin,
        comparison: live,
        models: LIVE_MODELS,
        now: () => performance.now(),
        sleep,
        signal,
        onAnswer(model, lane, same) {
          lanes.set(model, lane);
          const count = counts.get(model);
          count.all += 1;
          count.same += same ? 1 : 0;
          frame ??= setTimeout(() => {
            frame = null;
            if (!signal.aborted) show();
          }, REDRAW_MS);
        },
      });
      show();
      announceResult(counts);
    } catch (error) {
      if (!signal.aborted) announce("bad", error instanceof LiveError ? `Stopped: a request was not decided. ${error.message}` : `Stopped: ${error.message}`);
      else announce("note", "Stopped.");
      if (simulated !== null) showSimulated();
    } finally {
      clearTimeout(frame);
      stopper = null;
      live.free();
      sendButton.disabled = admin.token === null;
      stopButton.disabled = true;
    }
  };
  const showLive = (setting, lanes, counts) => {
    const outcomes = new Map([...lanes].map(([model, lane]) => [
      model,
      { outcome: plainOutcome(lane.simulated()), admissions: lane.admissions, live: counts.get(model) },
    ]));
    rows.show(setting, outcomes, null);
  };
  const announceResult = (counts) => {
    const sum = (key) => [...counts.values()].reduce((total, count) => total + count[key], 0);
    const [same, all] = [sum("same"), sum("all")];
    if (same === all) return announce("good", `All ${number(all)} live decisions coincide with the simulation.`);
    announce("bad", `${number(all - same)} of ${number(all)} live decisions differ from the simulation. This happens if clocks differ: those of two isolates, or, with clock = "redis", those of Redis and the edge.`);
  };
  /** Shows a text about the live run, which screen readers read aloud. */
  const announce = (tone, text) => {
    liveStatus.dataset.tone = tone;
    liveStatus.textContent = text;
  };

  sendButton.addEventListener("click", send);
  stopButton.addEventListener("click", () => stopper?.abort());
  addEventListener("hashchange", () => visible && settingInFragment(location.hash) !== comparison?.text && follow());

  return {
    /** The view is shown, or another one is. */
    show(name) {
      visible = name === "compare";
      byId(visible ? "compare-access" : "access-place").append(byId("access"));
      if (visible) follow();
      else stopper?.abort();
    },
    open() {
      sendButton.disabled = false;
      announce("note", "");
    },
    close() {
      stopper?.abort();
      sendButton.disabled = true;
      announce("note", "Unlock the admin API to send live.");
    },
  };
}

/** Returns the facts of the setting that a text stands for. Throws if there is none. */
function factsIn(text) {
  const comparison = new Comparison(text);
  const facts = factsOf(comparison);
  comparison.free();
  return facts;
}

function factsOf({ text, preset, limit, window, burst, demand, hold, seed, places, duration: lasts, retries }) {
  return { text, preset, limit, window, burst, demand, hold, seed, places, duration: lasts, retries };
}

const REDRAW_MS = 100;
