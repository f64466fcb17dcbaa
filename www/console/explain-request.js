// The request that an operator types in, for the API. Pure.

/**
 * Returns `{ request, field, problem }`: the body for `POST /explain`, or the name of the field that is wrong and why.
 */
export function readRequest({ method, path, headers, address, country, asn, body }) {
  const target = path.trim();
  if (!target.startsWith("/")) return wrong("path", "Path: begin with a slash.");
  const request = { method, path: target };
  const fields = {};
  for (const line of headers.split("\n").filter((text) => text.trim() !== "")) {
    const colon = line.indexOf(":");
    if (colon < 1) return wrong("headers", `Headers: expected “Name: value”, found “${line.trim()}”.`);
    const name = line.slice(0, colon).trim();
    if (Object.hasOwn(fields, name)) return wrong("headers", `Headers: ${name} is there twice.`);
    fields[name] = line.slice(colon + 1).trim();
  }
  if (Object.keys(fields).length > 0) request.headers = fields;
  if (address.trim() !== "") request.address = address.trim();
  if (country.trim() !== "") request.country = country.trim().toUpperCase();
  if (asn.trim() !== "") request.asn = Number(asn);
  // As the bytes that a client sends: not as JSON of ours.
  if (body !== "") request.body = body;
  return { request, field: null, problem: null };
}

function wrong(field, problem) {
  return { request: null, field, problem };
}
