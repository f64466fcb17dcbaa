// Times in UTC, as the API, the fields of the console and its tables have them. Pure.

/** Formats a timestamp of the API for a table: "2026-12-01 00:00"; `none` for null. */
export function utc(timestamp, none = "never") {
  return timestamp === null || timestamp === undefined ? none : timestamp.slice(0, 16).replace("T", " ");
}

/** Returns the timestamp that a field for a date and a time holds, which is in UTC; null if it is empty. */
export function fieldToTimestamp(value) {
  if (value === "") return null;
  return `${value.length === 16 ? `${value}:00` : value}Z`;
}

/** Returns what a field for a date and a time shows for a timestamp. */
export function timestampToField(timestamp) {
  return timestamp === null || timestamp === undefined ? "" : timestamp.slice(0, 16);
}

/** Formats the time of day of an instant: "09:30:05". */
export function timeOfDay(ms) {
  return new Date(ms).toISOString().slice(11, 19);
}
