// The page: one press sends one run. Each response goes to the table, the chart and the metrics. The Tenants view
// sends its requests with an API key.

import { AdminApi } from "./admin-api.js";
import { ChartData } from "./chart-data.js";
import { chart as newChart } from "./chart.js";
import { compareView } from "./compare-view.js";
import { byId, restoreFocus } from "./dom.js";
import { runSummary } from "./format.js";
import { loadParsers } from "./header-parsers.js";
import { showHealth } from "./health.js";
import { runSchedule } from "./load-generator.js";
import { lockPanel } from "./lock-panel.js";
import { clearMetrics, nextRequestCountdown, showLimits, showTotals } from "./metrics.js";
import { latestDecision } from "./next-request.js";
import { racePanel } from "./race-panel.js";
import { requestForm as newRequestForm } from "./request-form.js";
import { responseDetails } from "./response-details.js";
import { responseTable } from "./response-table.js";
import { durationMs, maxConcurrent, newSchedule } from "./schedule.js";
import { sendRequest } from "./send-request.js";
import { sleep } from "./sleep.js";
import { tenantPanel } from "./tenant-panel.js";
import { tokenForm } from "./token-form.js";
import { requestTokenFromOpener } from "./token-transfer.js";
import { Totals } from "./totals.js";
import { views } from "./views.js";

const narrow = matchMedia("(max-width: 759px)");
const sendOne = byId("send-one");
const ONE_REQUEST = newSchedule(1, null);
const SENDING_VIEWS = ["requests", "tenants"];
const ANNOUNCE_EVERY_MS = 4_000;
const EMPTY_CHART_MS = 6_000;

let parsers = null;
let run = null;
let stopper = null;
let running = Promise.resolve();
let view = "requests";
let identity = null;
let tenant = null;
let comparison = null;

const details = responseDetails({
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

/** Clears the results. */
function clear() {
  run = null;
  table.clear();
  details.clear();
  chart.begin(new ChartData(), EMPTY_CHART_MS);
  chart.describe("No responses yet.");
  clearMetrics();
  next.follow(null, 0);
  sendOne.disabled = true;
  announce("");
}

/** Stops the current run, if any, and clears the results. The Tenants view cannot send before it has an API key. */
async function reset() {
  const keyMissing = view === "tenants" && identity === null;
  byId("controls").hidden = !SENDING_VIEWS.includes(view) || keyMissing;
  stopper?.abort();
  await running;
  clear();
  byId("no-rows").hidden = keyMissing;
  byId("no-key").hidden = !keyMissing;
}

/** Starts a new run. */
function begin(schedule) {
  run = { start: performance.now(), data: new ChartData(), totals: new Totals(), planned: 0, notDrawn: [], latest: null, decision: null, announcedAt: 0 };
  table.clear();
  details.clear();
  chart.begin(run.data, durationMs(schedule));
}

/** Sends the requests of a schedule as part of the current run. */
async function send(schedule, target) {
  const { start, totals } = run;
  const bearer = view === "tenants" ? identity : null;
  const first = run.planned;
  run.planned += schedule.count;
  stopper = new AbortController();
  const { signal } = stopper;
  requestForm.setRunning(true);
  sendOne.disabled = true;
  run.announcedAt = performance.now();
  announce(`Sending ${schedule.count === 1 ? "one request" : `${schedule.count} requests`} to ${target.path}.`);

  const sent = await runSchedule({
    schedule,
    maxConcurrent: maxConcurrent(performance.getEntriesByType("navigation")[0]?.nextHopProtocol),
    send: (index) =>
      sendRequest({ index: first + index, target, identity: bearer, parsers, start, signal, onHead: addResponse, onBody: addBody }),
    now: () => performance.now(),
    sleep,
    signal,
  });

  draw();
  const canceled = first + sent - totals.answered;
  run.planned = signal.aborted ? totals.answered : run.planned;
  const summary = runSummary(totals, run.planned);
  showTotals(totals, run.planned);
  requestForm.setRunning(false);
  sendOne.disabled = false;
  chart.describe(`Remaining quota over time. ${summary}`);
  announce(`${signal.aborted ? "Stopped. " : ""}${summary}${canceled > 0 ? ` ${canceled} canceled.` : ""}`);
  if (bearer !== null) tenant?.refresh();
}

/** Adds a response to the run. The page shows it in the next frame. */
function addResponse(response) {
  run.totals.add(response);
  run.data.add(response);
  run.latest = response;
  run.decision = latestDecision(run.decision, response);
  if (run.notDrawn.push(response) === 1) requestAnimationFrame(draw);
}

/** Shows the body of a response. It can have a more exact retry time than the headers. */
function addBody(response) {
  details.refresh(response);
  if (response === run.decision) next.follow(response, run.start);
}

function draw() {
  if (run === null || run.notDrawn.length === 0) return;
  const { notDrawn, data, totals, latest, decision, planned, start } = run;
  table.add(notDrawn.splice(0));
  chart.update();
  showTotals(totals, planned);
  showLimits(latest, data.limits);
  tenant?.showQuota(latest);
  next.follow(decision, start);
  if (performance.now() - run.announcedAt > ANNOUNCE_EVERY_MS) {
    run.announcedAt = performance.now();
    announce(runSummary(totals, planned));
  }
}

/** Shows a text in the status line, which screen readers read aloud. */
function announce(text) {
  byId("status").textContent = text;
}

sendOne.addEventListener("click", () => {
  const target = requestForm.target();
  if (target === null) return;
  running = send(ONE_REQUEST, target);
  running.then(() => restoreFocus(sendOne));
});

views({
  onShow(name) {
    view = name;
    reset();
    comparison?.show(name);
  },
});
showHealth();
loadParsers().then(enable, fail);

/** Shows why nothing on the page works. */
function fail(error) {
  const text = `The page's wasm did not load: ${error.message}`;
  requestForm.fail(text);
  byId("compare-problem").textContent = text;
}

/** Enables the parts of the page that need the wasm. */
function enable(loaded) {
  parsers = loaded;
  requestForm.enable();
  const admin = new AdminApi({ fetch: (...request) => fetch(...request), onDenied: (message) => form.denied(message) });
  tenant = tenantPanel({
    admin,
    parsers,
    onIdentity(value) {
      identity = value;
      reset();
    },
  });
  comparison = compareView(admin);
  comparison.show(view);
  const panels = [tenant, lockPanel(admin), racePanel(admin), comparison];
  const form = tokenForm(admin, {
    onOpen: (response) => panels.forEach((panel) => panel.open(response.body)),
    onClose: () => panels.forEach((panel) => panel.close()),
  });
  requestTokenFromOpener(form.unlock);
}
