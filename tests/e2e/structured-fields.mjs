// Reads a JSON array of structured-field lists and writes each as [[string, {parameter: number}], …].
import { parseList } from "structured-headers";

let input = "";
for await (const piece of process.stdin) input += piece;
const lists = JSON.parse(input).map((value) =>
  parseList(value).map(([item, parameters]) => [item, Object.fromEntries(parameters)]),
);
process.stdout.write(JSON.stringify(lists));
