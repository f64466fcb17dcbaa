// The form of the Compare view: each number has a field and a slider.

import { settingText } from "./compare-link.js";
import { PRESETS } from "./compare-texts.js";
import { byId, el, setInvalid } from "./dom.js";

const SLIDER_STEPS = 100;
const A_MILLION = 1_000_000;
/** The fields with a slider, each with the ends of the slider. The field itself accepts other numbers, too. */
const SLIDERS = { limit: [1, 100_000], window: [1, 3_600], burst: [1, 100_000], demand: [10, 1_000] };

/**
 * Connects the form. `parse(text)` returns the setting that a text stands for, or throws an error that begins with the
 * name of a field. `onChange(setting)` is called for each valid change.
 */
export function compareForm({ parse, onChange }) {
  const form = byId("compare-form");
  const problem = byId("compare-problem");
  const fields = form.elements;
  const names = ["limit", "window", "burst", "demand", "hold", "seed"];
  let shown = null;

  byId("compare-presets").append(
    ...PRESETS.map(({ name, label }) => el("label", {}, el("input", { type: "radio", name: "preset", value: name }), el("span", {}, label))),
  );

  const slide = (name) => {
    const slider = fields[`${name}-slider`];
    slider.value = position(Number(fields[name].value), SLIDERS[name]);
    slider.setAttribute("aria-valuetext", fields[name].value);
  };
  const read = () => {
    for (const name of names) setInvalid(fields[name], false);
    problem.textContent = "";
    try {
      const values = Object.fromEntries(["preset", ...names].map((name) => [name, fields[name].value]));
      shown = parse(settingText(values));
    } catch (error) {
      const [name] = error.message.split(":");
      if (names.includes(name)) setInvalid(fields[name], true);
      problem.textContent = sentence(error.message);
      return;
    }
    onChange(shown);
  };
  /** The burst of a bucket is its limit, unless somebody chose another. */
  const setLimit = (value) => {
    const follows = shown !== null && shown.burst === shown.limit;
    fields.limit.value = value;
    if (follows) fields.burst.value = value;
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    const name = target.name.replace("-slider", "");
    if (target.type === "range") {
      const value = atPosition(Number(target.value), SLIDERS[name]);
      if (name === "limit") setLimit(value);
      else fields[name].value = value;
    } else if (name === "limit") setLimit(target.value);
    else if (name === "preset") fields.demand.value = PRESETS.find((preset) => preset.name === target.value).demand;
    Object.keys(SLIDERS).forEach(slide);
    read();
  });
  byId("compare-million").addEventListener("click", () => {
    setLimit(Math.round((A_MILLION * 10) / fields.demand.value));
    Object.keys(SLIDERS).forEach(slide);
    read();
  });

  return {
    /** Shows a setting. */
    show(setting) {
      shown = setting;
      fields.preset.value = setting.preset;
      for (const name of ["limit", "burst", "demand", "seed"]) fields[name].value = setting[name];
      for (const name of ["window", "hold"]) fields[name].value = setting[name] / 1000;
      Object.keys(SLIDERS).forEach(slide);
      for (const name of names) setInvalid(fields[name], false);
      problem.textContent = "";
    },
    /** Shows why there is no setting. */
    fail(text) {
      problem.textContent = text;
    },
  };
}

/** Returns the position of a slider for a value. Positions are at equal ratios. */
export function position(value, [least, most]) {
  const share = Math.log(Math.max(least, value) / least) / Math.log(most / least);
  return Math.round(Math.min(1, share) * SLIDER_STEPS);
}

/** Returns the value at a position of a slider, with at most two digits that are not zero. */
export function atPosition(step, [least, most]) {
  const value = least * (most / least) ** (step / SLIDER_STEPS);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.min(most, Math.max(least, Math.round(value / unit) * unit));
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
