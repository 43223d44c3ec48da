// Reads the JSON reports of the test runners and formats the failures for the end of `npm test`.
// Plain JavaScript, since cli.mjs runs before TypeScript can.

import { stripVTControlCharacters } from "node:util";

/** Lines of one failure that the end of a run repeats. */
const MAX_LINES = 30;
/** Failures that are repeated with their output; of the others only the names. */
const MAX_WITH_OUTPUT = 4;
const MAX_LINE_LENGTH = 400;

/** @typedef {{ name: string, output: string }} Failure */
/** @typedef {{ passed: number, failed: number, skipped: number, failures: Failure[] }} Report */

/** Reads the report of Vitest's JSON reporter. @returns {Report} */
export function readVitest(json) {
  const failures = [];
  for (const file of json.testResults) {
    const path = file.name.replace(`${process.cwd()}/`, "");
    const failed = file.assertionResults.filter(({ status }) => status === "failed");
    for (const { fullName, failureMessages } of failed)
      failures.push({ name: `${path} › ${fullName}`, output: failureMessages.join("\n") });
    // A file that breaks before, between or after its tests.
    if (file.status === "failed" && failed.length === 0)
      failures.push({ name: path, output: file.message });
  }
  return {
    passed: json.numPassedTests,
    failed: failures.length,
    skipped: json.numPendingTests + (json.numTodoTests ?? 0),
    failures,
  };
}

/** Reads the report of Playwright's JSON reporter. @returns {Report} */
export function readPlaywright(json) {
  const failures = [];
  const visit = ({ suites = [], specs = [], title }, parents) => {
    const names = title ? [...parents, title] : parents;
    for (const spec of specs)
      for (const { status, results } of spec.tests) {
        if (status !== "unexpected") continue;
        const errors = results.flatMap(({ errors }) => errors);
        failures.push({
          name: [`${spec.file}:${spec.line}`, ...names.slice(1), spec.title].join(" › "),
          output: errors.map(({ message, stack }) => stack ?? message).join("\n"),
        });
      }
    for (const suite of suites) visit(suite, names);
  };
  for (const suite of json.suites) visit(suite, []);
  const { expected, unexpected, skipped } = json.stats;
  // Errors that belong to no test: a server that did not start, a file that can't be read.
  const errors = json.errors ?? [];
  for (const { message } of errors)
    failures.push({ name: "outside of the tests", output: message });
  return { passed: expected, failed: unexpected + errors.length, skipped, failures };
}

function shorten(output) {
  const lines = stripVTControlCharacters(output ?? "")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter(Boolean);
  const rest = lines.length - MAX_LINES;
  return [...lines.slice(0, MAX_LINES), ...(rest > 0 ? [`… ${rest} more lines above`] : [])].map(
    (line) => `      ${line.slice(0, MAX_LINE_LENGTH)}`,
  );
}

/** Formats every failure, the first ones with their output. Empty if there are none. */
export function formatFailures(failures) {
  if (failures.length === 0) return "";
  const lines = failures.flatMap(({ name, output }, i) => [
    `  - ${name}`,
    ...(i < MAX_WITH_OUTPUT ? shorten(output) : []),
  ]);
  return ["Failed:", ...lines].join("\n");
}
