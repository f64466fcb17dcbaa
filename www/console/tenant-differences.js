// What somebody else changed between two versions of a tenant, in sentences. Pure.

import { number } from "../page/format.js";
import { utc } from "./utc.js";

/** Returns a sentence for each difference; none if the versions are equal. */
export function differences(before, after) {
  return [
    ...field("Plan", before.plan, after.plan),
    ...field("Status", before.status, after.status),
    ...entries("Override of", before.overrides, after.overrides, describeOverride),
    ...entries("Key", byId(before.keys), byId(after.keys), ({ expires }) => (expires === null ? "does not expire" : `expires ${utc(expires)}`)),
    ...entries("Metadata", before.metadata, after.metadata, (text) => `“${text}”`),
  ];
}

/** Describes an override: "12, burst 20, until 2026-12-01 00:00". */
export function describeOverride({ limit, burst, until }) {
  const parts = [number(limit)];
  if (burst !== undefined) parts.push(`burst ${number(burst)}`);
  if (until !== undefined) parts.push(`until ${utc(until)}`);
  return parts.join(", ");
}

function field(name, before, after) {
  return before === after ? [] : [`${name}: ${before} → ${after}`];
}

function entries(name, before, after, describe) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((key) => {
    const [was, is] = [before, after].map((all) => (Object.hasOwn(all, key) ? describe(all[key]) : "none"));
    return field(`${name} ${key}`, was, is);
  });
}

function byId(keys) {
  return Object.fromEntries(keys.map((key) => [key.id, key]));
}
