// The page: one press makes one run; every response of it goes to the table, the picture and the figures. A tenant's
// requests do the same as anybody's, and carry a key.

import { tokenForm } from "./token-form.js";
import { AdminApi } from "./admin-api.js";
import { chart as newChart } from "./chart.js";
import { requestForm as newRequestForm } from "./request-form.js";
import { responseDetails as newResponseDetails } from "./response-details.js";
import { byId } from "./dom.js";
import { sendRequest } from "./send-request.js";
import { clearMetrics, nextRequestCountdown, showLimits, showTotals } from "./metrics.js";
import { showHealth } from "./health.js";
import { lockPanel } from "./lock-panel.js";
import { durationMs, maxConcurrent, newSchedule } from "./schedule.js";
import { racePanel } from "./race-panel.js";
import { loadParsers } from "./header-parsers.js";
import { responseTable } from "./response-table.js";
import { runSchedule, sleep } from "./load-generator.js";
import { ChartData } from "./chart-data.js";
import { Totals } from "./totals.js";
import { tenantPanel } from "./tenant-panel.js";
import { views } from "./views.js";
import { latestDecision } from "./next-request.js";
import { runSummary } from "./format.js";

const narrow = matchMedia("(max-width: 759px)");
const one = byId("send-one");
const SINGLE = newSchedule(1, null);
const ANNOUNCE_EVERY_MS = 4_000;
const EMPTY_CHART_MS = 6_000;

let parsers = null;
let session = null;
let stopper = null;
let running = Promise.resolve();
let view = "requests";
let identity = null;
let tenant = null;

const details = newResponseDetails({
  onClose(response) {
    table.choose(null);
    chart.choose(null);
    table.focus(response);
  },
});
const choose = (response) => {
  table.choose(response);
  chart.choose(response);
  details.show(response);
};
const table = responseTable({
  onChoose: choose,
  onMove: (response) => details.shown !== null && choose(response),
});
const chart = newChart({ onPick: choose });
const next = nextRequestCountdown();
const requestForm = newRequestForm({
  onStart({ schedule, target }) {
    begin(schedule);
    running = send(schedule, target);
    if (narrow.matches) document.querySelector(".results").scrollIntoView();
  },
  onStop: () => stopper?.abort(),
});

/** Nothing has been sent in this view. */
function clear() {
  session = null;
  table.clear();
  details.clear();
  chart.begin(new ChartData(), EMPTY_CHART_MS);
  chart.describe("No responses yet.");
  clearMetrics();
  next.follow(null, 0);
  one.disabled = true;
  say("");
}

/** Ends a run, if there is one, and clears the stage. A tenant's requests need a key before there is anything to send. */
async function restart() {
  const keyless = view === "tenants" && identity === null;
  byId("controls").hidden = view === "locks" || keyless;
  stopper?.abort();
  await running;
  clear();
  byId("no-rows").hidden = keyless;
  byId("no-key").hidden = !keyless;
}

/** Forgets the last run. */
function begin(schedule) {
  session = { start: performance.now(), data: new ChartData(), totals: new Totals(), planned: 0, fresh: [], latest: null, decision: null, announcedAt: 0 };
  table.clear();
  details.clear();
  chart.begin(session.data, durationMs(schedule));
}

/** Sends the requests of a schedule into the session. */
async function send(schedule, target) {
  const { start, totals } = session;
  const bearer = view === "tenants" ? identity : null;
  const first = session.planned;
  session.planned += schedule.count;
  stopper = new AbortController();
  const { signal } = stopper;
  requestForm.setRunning(true);
  one.disabled = true;
  session.announcedAt = performance.now();
  say(`Sending ${schedule.count === 1 ? "one request" : `${schedule.count} requests`} to ${target.path}.`);

  const sent = await runSchedule({
    schedule,
    maxConcurrent: maxConcurrent(performance.getEntriesByType("navigation")[0]?.nextHopProtocol),
    send: (index) =>
      sendRequest({ index: first + index, target, identity: bearer, parsers, start, signal, onHead: take, onBody: complete }),
    now: () => performance.now(),
    sleep,
    signal,
  });

  draw();
  const given = first + sent - totals.answered;
  session.planned = signal.aborted ? totals.answered : session.planned;
  showTotals(totals, session.planned);
  requestForm.setRunning(false);
  one.disabled = false;
  chart.describe(`Quota left over time. ${runSummary(totals, session.planned)}`);
  say(`${signal.aborted ? "Stopped. " : ""}${runSummary(totals, session.planned)}${given > 0 ? ` ${given} on the way given up.` : ""}`);
  if (bearer !== null) tenant?.look();
}

/** Takes a response; what it changes on the page waits for the next frame. */
function take(response) {
  session.totals.add(response);
  session.data.add(response);
  session.latest = response;
  session.decision = latestDecision(session.decision, response);
  if (session.fresh.push(response) === 1) requestAnimationFrame(draw);
}

/** The body of a response is here too: it may say more exactly when to come back. */
function complete(response) {
  details.refresh(response);
  if (response === session.decision) next.follow(response, session.start);
}

function draw() {
  const { fresh, data, totals, latest, decision, planned, start } = session;
  if (fresh.length === 0) return;
  table.add(fresh.splice(0));
  chart.update();
  showTotals(totals, planned);
  showLimits(latest, data.limits);
  tenant?.take(latest);
  next.follow(decision, start);
  if (performance.now() - session.announcedAt > ANNOUNCE_EVERY_MS) {
    session.announcedAt = performance.now();
    say(runSummary(totals, planned));
  }
}

function say(text) {
  byId("status").textContent = text;
}

one.addEventListener("click", () => {
  const target = requestForm.target();
  if (target === null) return;
  // A button that is disabled meanwhile loses the focus.
  running = send(SINGLE, target);
  running.then(() => document.activeElement === document.body && one.focus({ preventScroll: true }));
});

views({
  onShow(name) {
    view = name;
    restart();
  },
});
showHealth();
loadParsers().then(start, (error) => requestForm.fail(`The page's wasm did not load: ${error.message}`));

/** The parsers are here: the page can send, and the admin API be asked. */
function start(loaded) {
  parsers = loaded;
  requestForm.enable();
  const admin = new AdminApi({ fetch: (...request) => fetch(...request), onDenied: (message) => form.denied(message) });
  tenant = tenantPanel({
    admin,
    parsers,
    onIdentity(next) {
      identity = next;
      restart();
    },
  });
  const parts = [tenant, lockPanel(admin), racePanel(admin)];
  const form = tokenForm(admin, {
    onOpen: (response) => parts.forEach((part) => part.open(response.body)),
    onClose: () => parts.forEach((part) => part.close()),
  });
}
