// The usage of a tenant by day, without gaps. Pure.

/**
 * Returns the 90 days before today and today, oldest first, as `{ day, units }`. The API leaves out days without usage.
 */
export function fillDays({ today, history }) {
  const units = new Map([...history, today].map((entry) => [entry.day, entry.units]));
  const end = Date.parse(`${today.day}T00:00:00Z`);
  return Array.from({ length: DAYS + 1 }, (_, index) => {
    const day = new Date(end - (DAYS - index) * DAY_MS).toISOString().slice(0, 10);
    return { day, units: units.get(day) ?? 0 };
  });
}

/** Returns `{ total, mean, peak }` of the days before today. The mean is rounded; the peak is null without usage. */
export function summarize(days) {
  const complete = days.slice(0, -1);
  const total = complete.reduce((sum, { units }) => sum + units, 0);
  const peak = complete.reduce((most, one) => (one.units > most.units ? one : most), { units: 0, day: null });
  return { total, mean: Math.round(total / complete.length), peak: peak.units === 0 ? null : peak };
}

/** Returns round values for the lines of a scale from 0 to at least `most`, at most five with the 0. */
export function scale(most) {
  const top = Math.max(most, 1);
  const power = 10 ** Math.max(0, Math.floor(Math.log10(top / 4)));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => Number.isInteger(size) && size * 4 >= top);
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, index) => index * step);
}

const DAYS = 90;
const DAY_MS = 86_400_000;
