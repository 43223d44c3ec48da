// Saves the last runs of benchmarks to docs/benchmarks.json, and writes the documents that quote it:
// npm run bench -- save page peers
// An argument may also be a file whose last line is a benchmark's JSON. Without one, only the
// documents are written.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { REPORTS_DIR } from "#bench/support/measurements.ts";
import { REPORTS_FILE, readReports, renderDocuments } from "./documents.ts";
import { GOALS, type Report, type Reports, resultsOf } from "./goals.ts";

/** Returns the last report of a benchmark, from its file or from a log. Exits if it finds none. */
function readReport(nameOrFile: string): Report & { bench: string } {
  const file = existsSync(nameOrFile) ? nameOrFile : join(REPORTS_DIR, `${nameOrFile}.json`);
  const line = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .findLast((each) => each.startsWith('{"bench":'))
    : undefined;
  if (line) return JSON.parse(line) as Report & { bench: string };
  console.error(`${file} has no result. Run npm run bench -- ${nameOrFile} first.`);
  process.exit(1);
}

const reports: Record<string, Report> = { ...readReports() };
for (const argument of process.argv.slice(2)) {
  const { bench, ...report } = readReport(argument);
  reports[bench] = report;
  for (const { name, isMet, reason } of resultsOf(bench, report))
    if (!isMet && !reason)
      console.log(
        `${bench}: “${name}” is missed without a reason: add one in bench/report/goals.ts`,
      );
}
// In the order of the document.
const names = [...new Set([...Object.keys(GOALS), ...Object.keys(reports)])];
const sorted: Reports = Object.fromEntries(
  names.flatMap((name) => (reports[name] ? [[name, reports[name]]] : [])),
);
writeFileSync(
  REPORTS_FILE,
  await format(JSON.stringify(sorted), { parser: "json", printWidth: 100 }),
);
for (const [file, text] of await renderDocuments(sorted)) writeFileSync(file, text);
