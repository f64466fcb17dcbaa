// Reads CHANGELOG.md. A heading of the second level is «Unreleased» or «X.Y.Z - YYYY-MM-DD», the newest first.

/** @typedef {{version: string, date: string} | {version: null, date: null}} Section */

/**
 * Returns the sections of a changelog, the newest first.
 *
 * @param {string} text
 * @returns {Section[]}
 */
export function sections(text) {
  const found = [...text.matchAll(/^## (.*)$/gm)].map(([, heading], index) => section(heading, index));
  if (found.length === 0) throw new Error("CHANGELOG.md: no section (add «## Unreleased»)");
  const released = found.filter(({ version }) => version !== null);
  released.slice(1).forEach(({ version, date }, index) => {
    const newer = released[index];
    if (compare(newer.version, version) <= 0) throw new Error(`CHANGELOG.md: ${newer.version} is above ${version} (the newest comes first)`);
    if (newer.date < date) throw new Error(`CHANGELOG.md: ${newer.version} is of ${newer.date}, before ${version} of ${date}`);
  });
  return found;
}

/**
 * Returns the date under which a changelog has a version as its newest, or throws an error that says what to do.
 *
 * @param {string} text
 * @param {string} version
 * @param {string} today as YYYY-MM-DD
 */
export function releaseDate(text, version, today) {
  const [newest] = sections(text);
  const remedy = `(write «## ${version} - ${today}» above what this release brings)`;
  if (newest.version === null) throw new Error(`CHANGELOG.md: the newest section is «Unreleased», not ${version} ${remedy}`);
  if (newest.version !== version) throw new Error(`CHANGELOG.md: the newest version is ${newest.version}, not ${version} ${remedy}`);
  if (newest.date > today) throw new Error(`CHANGELOG.md: ${version} is of ${newest.date}, which is after today, ${today}`);
  return newest.date;
}

/** @returns {Section} */
function section(heading, index) {
  if (heading === "Unreleased" && index === 0) return { version: null, date: null };
  const [, version, date] = /^(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$/.exec(heading) ?? [];
  if (date === undefined || !isDate(date)) {
    throw new Error(`CHANGELOG.md: unexpected heading: ${heading} (write «X.Y.Z - YYYY-MM-DD», or «Unreleased» as the first)`);
  }
  return { version, date };
}

function isDate(text) {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  const index = left.findIndex((part, index) => part !== right[index]);
  return index === -1 ? 0 : left[index] - right[index];
}
