// The section Health: the checks of the deployment, each problem with its remedy.

import { byId, el } from "../page/dom.js";
import { pluralize } from "../page/format.js";

/** Connects the section. Returns `show()`, `hide()` and `clear()`. */
export function healthSection({ admin }) {
  const button = byId("check-again");
  let isShown = false;

  const load = async () => {
    if (button.disabled) return;
    button.disabled = true;
    byId("health-summary").textContent = "Checking …";
    const response = await admin.call("GET", "/diagnosis");
    button.disabled = false;
    if (!isShown || admin.token === null) return;
    byId("health-problem").textContent = response.ok ? "" : response.message;
    byId("health-summary").textContent = response.ok ? summarize(response.body.checks) : "";
    byId("health-version").textContent = response.ok ? `sluicegate ${response.body.version}` : "";
    if (response.ok) byId("check-rows").replaceChildren(...response.body.checks.map(row));
  };
  button.addEventListener("click", load);

  return {
    hide() {
      isShown = false;
    },
    clear() {
      byId("check-rows").replaceChildren();
      byId("health-summary").textContent = "";
      byId("health-version").textContent = "";
      byId("health-problem").textContent = "";
    },
    async show() {
      isShown = true;
      await load();
    },
  };
}

/** Counts what is wrong: "1 failure, 2 warnings". */
function summarize(checks) {
  const count = (wanted) => checks.filter(({ level }) => level === wanted).length;
  const [failures, warnings] = [count("failure"), count("warning")];
  if (failures + warnings === 0) return "No problems found.";
  return [failures === 0 ? null : pluralize(failures, "failure"), warnings === 0 ? null : pluralize(warnings, "warning")].filter(Boolean).join(", ");
}

function row({ check, level, found, remedy }) {
  return el(
    "tr",
    {},
    el("td", {}, el("span", { class: "state", "data-state": level }, level)),
    el("th", { scope: "row" }, check),
    el("td", { "data-label": "Found" }, found, remedy === null ? null : el("span", { class: "remedy" }, `→ ${remedy}`)),
  );
}
