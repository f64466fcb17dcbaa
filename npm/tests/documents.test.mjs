// docs/library.md against the types, and against docs/configuration.md.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

const root = path.resolve(import.meta.dirname, "..", "..");
const read = (file) => readFile(path.join(root, file), "utf8");
const library = await read("docs/library.md");

test("every member of the types is documented", async () => {
  const types = await read("npm/index.d.ts");
  const names = ["Options", "CheckOptions", "Verdict", "LimitState", "Settlement", "TenantInfo", "MiddlewareOptions", "ProtectOptions", "Gate"];
  const prose = library.replaceAll(/```.*?```/gs, "");
  const documented = new Set(prose.match(/`[^`]+`/g).flatMap((code) => code.match(/\w+/g) ?? []));
  const headings = library.match(/^## .*$/gm).join("\n");
  for (const name of names) {
    const [, body] = types.match(new RegExp(`(?:interface|class) ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s"));
    const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?:(<]/gm)].map(([, member]) => member);
    assert.ok(members.length > 0, name);
    const missing = members.filter((member) => !documented.has(member) && !headings.includes(`.${member}(`));
    assert.deepEqual(missing.filter((member) => member !== "constructor"), [], name);
  }
});

test("the fields that a gate uses have the defaults of the configuration", async () => {
  const rows = (text) => [...text.matchAll(/^\| (`.*?) \|(.*)\|$/gm)].map(([, names, rest]) => [names, rest.split(" | ")]);
  const quoted = (text) => text.match(/`[^`]+`/g) ?? [];
  const [, fields] = (await read("docs/configuration.md")).split("\n## SLUICEGATE\n");
  const configuration = new Map(rows(fields.split("\n## ")[0]).map(([name, cells]) => [name, cells[1].trim()]));
  const [, section] = library.split("A gate uses these fields:");
  let compared = 0;
  for (const [names, [defaults]] of rows(section.split("\n## ")[0])) {
    quoted(names).forEach((name, i) => {
      const [found] = quoted(defaults).slice(i);
      if (found === undefined) return;
      assert.equal(found, configuration.get(name), name);
      compared += 1;
    });
  }
  assert.equal(compared, 9);
});
