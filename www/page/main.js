// The page: one press makes one run; every answer of it goes to the table, the picture and the figures. A tenant's
// requests do the same as anybody's, and carry a key.

import { access } from "./token-form.js";
import { Admin } from "./admin-api.js";
import { chart as newChart } from "./chart.js";
import { controls as newControls } from "./request-form.js";
import { details as newDetails } from "./response-details.js";
import { byId } from "./dom.js";
import { exchange } from "./send-request.js";
import { clearFigures, nextRequest, showLimits, showTally } from "./metrics.js";
import { showHealth } from "./health.js";
import { lock as newLock } from "./lock-panel.js";
import { lanes, length, plan as newPlan } from "./schedule.js";
import { races as newRaces } from "./race-panel.js";
import { load } from "./header-parsers.js";
import { rows as newRows } from "./response-table.js";
import { run as runPlan, sleep } from "./load-generator.js";
import { Series } from "./chart-data.js";
import { Tally } from "./totals.js";
import { tenant as newTenant } from "./tenant-panel.js";
import { views } from "./views.js";
import { telling } from "./next-request.js";
import { summary } from "./format.js";

const narrow = matchMedia("(max-width: 759px)");
const one = byId("one");
const ONE = newPlan(1, null);
const SPEAK_EVERY_MS = 4_000;
const EMPTY_MS = 6_000;

let parsers = null;
let session = null;
let stopping = null;
let running = Promise.resolve();
let view = "requests";
let identity = null;
let tenant = null;

const details = newDetails({
  onClose(answer) {
    rows.choose(null);
    chart.choose(null);
    rows.focus(answer);
  },
});
const choose = (answer) => {
  rows.choose(answer);
  chart.choose(answer);
  details.show(answer);
};
const rows = newRows({
  onChoose: choose,
  onMove: (answer) => details.shown !== null && choose(answer),
});
const chart = newChart({ onPick: choose });
const next = nextRequest();
const controls = newControls({
  onStart({ plan, target }) {
    begin(plan);
    running = send(plan, target);
    if (narrow.matches) document.querySelector(".stage").scrollIntoView();
  },
  onStop: () => stopping?.abort(),
});

/** Nothing has been sent in this view. */
function clear() {
  session = null;
  rows.clear();
  details.clear();
  chart.begin(new Series(), EMPTY_MS);
  chart.describe("No answers yet.");
  clearFigures();
  next.follow(null, 0);
  one.disabled = true;
  say("");
}

/** Ends a run, if there is one, and clears the stage. A tenant's requests need a key before there is anything to send. */
async function restart() {
  const keyless = view === "tenants" && identity === null;
  byId("controls").hidden = view === "locks" || keyless;
  stopping?.abort();
  await running;
  clear();
  byId("no-rows").hidden = keyless;
  byId("no-key").hidden = !keyless;
}

/** Forgets the last run. */
function begin(plan) {
  session = { start: performance.now(), series: new Series(), tally: new Tally(), planned: 0, fresh: [], latest: null, telling: null, spoken: 0 };
  rows.clear();
  details.clear();
  chart.begin(session.series, length(plan));
}

/** Sends the requests of a plan into the session. */
async function send(plan, target) {
  const { start, tally } = session;
  const bearer = view === "tenants" ? identity : null;
  const first = session.planned;
  session.planned += plan.count;
  stopping = new AbortController();
  const { signal } = stopping;
  controls.setRunning(true);
  one.disabled = true;
  session.spoken = performance.now();
  say(`Sending ${plan.count === 1 ? "one request" : `${plan.count} requests`} to ${target.path}.`);

  const sent = await runPlan({
    plan,
    lanes: lanes(performance.getEntriesByType("navigation")[0]?.nextHopProtocol),
    send: (index) =>
      exchange({ index: first + index, target, identity: bearer, parsers, start, signal, onHead: take, onBody: complete }),
    now: () => performance.now(),
    sleep,
    signal,
  });

  draw();
  const given = first + sent - tally.answered;
  session.planned = signal.aborted ? tally.answered : session.planned;
  showTally(tally, session.planned);
  controls.setRunning(false);
  one.disabled = false;
  chart.describe(`Quota left over time. ${summary(tally, session.planned)}`);
  say(`${signal.aborted ? "Stopped. " : ""}${summary(tally, session.planned)}${given > 0 ? ` ${given} on the way given up.` : ""}`);
  if (bearer !== null) tenant?.look();
}

/** Takes an answer; what it changes on the page waits for the next frame. */
function take(answer) {
  session.tally.add(answer);
  session.series.add(answer);
  session.latest = answer;
  session.telling = telling(session.telling, answer);
  if (session.fresh.push(answer) === 1) requestAnimationFrame(draw);
}

/** The body of an answer is here too: it may say more exactly when to come back. */
function complete(answer) {
  details.refresh(answer);
  if (answer === session.telling) next.follow(answer, session.start);
}

function draw() {
  const { fresh, series, tally, latest, telling: decisive, planned, start } = session;
  if (fresh.length === 0) return;
  rows.add(fresh.splice(0));
  chart.update();
  showTally(tally, planned);
  showLimits(latest, series.limits);
  tenant?.take(latest);
  next.follow(decisive, start);
  if (performance.now() - session.spoken > SPEAK_EVERY_MS) {
    session.spoken = performance.now();
    say(summary(tally, planned));
  }
}

function say(text) {
  byId("status").textContent = text;
}

one.addEventListener("click", () => {
  const target = controls.target();
  if (target === null) return;
  // A button that is disabled meanwhile loses the focus.
  running = send(ONE, target);
  running.then(() => document.activeElement === document.body && one.focus({ preventScroll: true }));
});

views({
  onShow(name) {
    view = name;
    restart();
  },
});
showHealth();
load().then(start, (error) => controls.fail(`The page's wasm did not load: ${error.message}`));

/** The parsers are here: the page can send, and the admin API be asked. */
function start(loaded) {
  parsers = loaded;
  controls.enable();
  const admin = new Admin({ fetch: (...request) => fetch(...request), onDenied: (sentence) => form.denied(sentence) });
  tenant = newTenant({
    admin,
    parsers,
    onIdentity(next) {
      identity = next;
      restart();
    },
  });
  const parts = [tenant, newLock(admin), newRaces(admin)];
  const form = access(admin, {
    onOpen: (answer) => parts.forEach((part) => part.open(answer.body)),
    onClose: () => parts.forEach((part) => part.close()),
  });
}
