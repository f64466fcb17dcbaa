// A Web Worker that simulates, so that the page stays responsive. One message in is one model; one message out is its
// outcome.

import init, { Comparison } from "sluicegate-www";
import { plainOutcome } from "./compare-outcome.js";

const ready = init({ module_or_path: new URL("sluicegate_www_bg.wasm", import.meta.url) });
// The models of one setting share its traffic.
let comparison = null;
let setting = null;

addEventListener("message", async ({ data: { run, text, model } }) => {
  try {
    await ready;
    if (text !== setting) {
      comparison?.free();
      comparison = new Comparison(text);
      setting = text;
    }
    postMessage({ run, model, outcome: plainOutcome(comparison.run(model)) });
  } catch (error) {
    postMessage({ run, model, error: error.message });
  }
});
