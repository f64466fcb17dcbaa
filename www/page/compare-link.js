// The setting of the Compare view in the fragment of the address: #compare?preset=…&limit=…. Pure.

const START = "#compare?";

/** Returns the setting in a fragment as text, or null if the fragment has none. */
export function settingInFragment(fragment) {
  return fragment.startsWith(START) ? fragment.slice(START.length) : null;
}

/** Returns the fragment for a setting. */
export function fragmentFor(setting) {
  return START + setting;
}

/** Returns the setting of a form as text. Durations are in seconds in the form, and in whole milliseconds here. */
export function settingText({ preset, limit, window, burst, demand, hold, seed }) {
  const ms = (seconds) => `${Math.round(Number(seconds) * 1000)}ms`;
  return `preset=${preset}&limit=${limit}&window=${ms(window)}&burst=${burst}&demand=${demand}&hold=${ms(hold)}&seed=${seed}`;
}

/** The setting at the beginning. */
export const FIRST_SETTING = "preset=boundary&limit=100&window=10s&burst=100&demand=100&hold=1s&seed=1";
