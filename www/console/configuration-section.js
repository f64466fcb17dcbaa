// The section Configuration: plans and routes in force, read only, and the explanation of a request.

import { byId, el, setInvalid } from "../page/dom.js";
import { readRequest } from "./explain-request.js";
import { explanation } from "./explanation.js";
import { algorithmName, describeLimit } from "./limit-text.js";

/** Connects the section. Returns `show()`, `hide()` and `clear()`. */
export function configurationSection({ admin, plans }) {
  const form = byId("explain-form");
  const result = byId("explanation");
  const empty = result.firstElementChild;
  let isShown = false;

  const load = async (again) => {
    const response = await plans.configuration({ again });
    if (!isShown || admin.token === null) return;
    byId("configuration-problem").textContent = response.ok ? "" : response.message;
    if (response.ok) render(response.body);
  };
  const render = ({ source, origin, settings, plans: all, routes }) => {
    byId("configuration-source").textContent = describeSource(source);
    if (source.rejected !== null) byId("configuration-problem").textContent = `The newest text is not in force: ${source.rejected}`;
    const facts = [["origin", origin], ...Object.entries(settings)];
    byId("settings").replaceChildren(...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, plainText(value)))));
    byId("plan-rows").replaceChildren(...Object.entries(all).flatMap(planRows));
    byId("route-rows").replaceChildren(...routes.map(routeRow));
    byId("routes").hidden = routes.length === 0;
    byId("no-routes").hidden = routes.length > 0;
  };
  const showProblem = (name, text) => {
    for (const field of form.elements) if (field.name !== "") setInvalid(field, field.name === name);
    byId("explain-problem").textContent = text;
    // A closed part of the form cannot have the focus.
    const field = name === null ? null : form.elements[name];
    if (field?.closest("details")) field.closest("details").open = true;
    field?.focus();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { request, field, problem } = readRequest(Object.fromEntries(new FormData(form)));
    if (problem !== null) return showProblem(field, problem);
    showProblem(null, "");
    const response = await admin.call("POST", "/explain", request);
    if (admin.token === null) return;
    if (!response.ok) {
      const path = response.body?.errors?.[0]?.path ?? "";
      return showProblem(FIELDS.find((name) => path === name || path.startsWith(`${name}.`)) ?? null, response.message);
    }
    result.replaceChildren(...explanation(response.body));
    byId("explain-status").textContent = result.querySelector(".verdict").textContent;
    result.scrollIntoView({ block: "nearest" });
  });
  byId("configuration-reload").addEventListener("click", () => load(true));

  return {
    hide() {
      isShown = false;
    },
    clear() {
      form.reset();
      showProblem(null, "");
      result.replaceChildren(empty);
      byId("explain-status").textContent = "";
      for (const id of ["settings", "plan-rows", "route-rows"]) byId(id).replaceChildren();
      byId("configuration-source").textContent = "";
      byId("configuration-problem").textContent = "";
    },
    async show() {
      isShown = true;
      await load(false);
    },
  };
}

function describeSource({ kind, name, ttl }) {
  if (kind === "kv") return `from KV, binding ${name}, read again after ${ttl}`;
  return kind === "file" ? `from the file ${name}, deployed with the Worker` : `from the variable ${name}`;
}

function planRows([name, { limits, prefetch }]) {
  return limits.map((limit, index) =>
    el(
      "tr",
      { class: index === 0 ? "first" : null },
      index === 0 ? el("th", { scope: "rowgroup", rowspan: limits.length }, name, prefetch === null ? null : el("small", {}, ` prefetch ${prefetch.units} for ${prefetch.hold}`)) : null,
      el("td", { "data-label": "Limit" }, limit.name),
      el("td", { "data-label": "Algorithm" }, algorithmName(limit.algorithm)),
      el("td", { "data-label": "Quota" }, describeLimit(limit)),
    ),
  );
}

function routeRow({ match, limits, ...settings }, index) {
  const own = limits.map((limit) => el("li", {}, el("b", {}, limit.name), ` ${algorithmName(limit.algorithm)}: ${describeLimit(limit)}`));
  return el(
    "tr",
    {},
    el("td", { class: "number rank" }, String(index)),
    el("th", { scope: "row" }, el("code", {}, match)),
    el("td", { "data-label": "Limits" }, own.length === 0 ? "–" : el("ul", { class: "limits" }, ...own)),
    el("td", { "data-label": "Settings" }, Object.entries(settings).map(([name, value]) => `${name} = ${plainText(value)}`).join("; ") || "–"),
  );
}

/** Shows a value of the configuration: texts plainly, everything else as JSON. */
function plainText(value) {
  if (value === null) return "–";
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

const FIELDS = ["path", "headers", "address", "country", "asn", "body"];
