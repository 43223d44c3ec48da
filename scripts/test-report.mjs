// What the test runners reported: how many passed, and what each failed test said, for the last lines of `npm test`. Plain
// JavaScript, since run.mjs is.

import { stripVTControlCharacters } from "node:util";

/** Lines of one failure that the end of a run repeats; the whole is further up, where it happened. */
const LINES = 30;
/** Failures that are repeated with what they said; of more only the names. A reader may see no more than the last hundred lines. */
const WHOLE = 4;

/** Of tests/support/invariants.ts: to have broken one once is to have failed, whatever the second try gives. */
const isPromise = (said) => /^(\w*Error: )?Broken promise: /m.test(stripVTControlCharacters(said));

/** @typedef {{ name: string, said: string }} Outcome */
/** @typedef {{ passed: number, failed: number, skipped: number, failures: Outcome[], secondTry: Outcome[] }} Report */

/** Reads what vitest's JSON reporter wrote. @returns {Report} */
export function readVitest(json) {
  const report = {
    passed: json.numPassedTests,
    failed: 0,
    skipped: json.numPendingTests + (json.numTodoTests ?? 0),
    failures: [],
    secondTry: [],
  };
  for (const file of json.testResults) {
    const path = file.name.replace(`${process.cwd()}/`, "");
    const failed = file.assertionResults.filter(({ status }) => status === "failed");
    for (const { fullName, failureMessages } of failed)
      report.failures.push({ name: `${path} › ${fullName}`, said: failureMessages.join("\n") });
    // A file that breaks before, between or after its tests.
    if (file.status === "failed" && failed.length === 0)
      report.failures.push({ name: path, said: file.message });
    for (const { fullName, failureMessages } of file.assertionResults.filter(
      ({ status, failureMessages: said }) => status === "passed" && said.length > 0,
    )) {
      const said = failureMessages.join("\n");
      if (isPromise(said)) report.passed -= 1;
      (isPromise(said) ? report.failures : report.secondTry).push({
        name: `${path} › ${fullName}`,
        said,
      });
    }
  }
  report.failed = report.failures.length;
  return report;
}

/** Reads what Playwright's JSON reporter wrote. @returns {Report} */
export function readPlaywright(json) {
  const { stats } = json;
  const report = {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected,
    skipped: stats.skipped,
    failures: [],
    secondTry: [],
  };
  const walk = ({ suites = [], specs = [], title }, above) => {
    const names = title ? [...above, title] : above;
    for (const { title: own, file, line, tests } of specs) {
      for (const { status, results } of tests) {
        if (status !== "unexpected" && status !== "flaky") continue;
        const said = results
          .flatMap(({ errors }) => errors.map(({ message, stack }) => stack ?? message))
          .join("\n");
        const isBroken = status === "flaky" && isPromise(said);
        if (isBroken) {
          report.passed -= 1;
          report.failed += 1;
        }
        (status === "flaky" && !isBroken ? report.secondTry : report.failures).push({
          name: [`${file}:${line}`, ...names.slice(1), own].join(" › "),
          said,
        });
      }
    }
    for (const suite of suites) walk(suite, names);
  };
  for (const suite of json.suites) walk(suite, []);
  // What no test is to blame for: a server that did not start, a file that can't be read.
  for (const { message } of json.errors ?? []) {
    report.failed += 1;
    report.failures.push({ name: "outside of the tests", said: message });
  }
  return report;
}

/** The end of a run: every failure with what it said, then what needed a second try. Empty when all went well at once. */
export function digest(failures, secondTry) {
  const shortened = (said) => {
    const lines = stripVTControlCharacters(said ?? "")
      .split("\n")
      .map((line) => line.trimEnd())
      .filter(Boolean);
    return [
      ...lines.slice(0, LINES),
      ...(lines.length > LINES ? [`… ${lines.length - LINES} lines more above`] : []),
    ].map((line) => `      ${line.slice(0, 400)}`);
  };
  const part = (title, list, whole) =>
    list.length === 0
      ? []
      : [
          title,
          ...list.flatMap(({ name, said }, i) => [
            `  - ${name}`,
            ...(i < whole ? shortened(said) : []),
          ]),
        ];
  return [
    ...part("Passed at the second try only:", secondTry, 1),
    ...part("Failed:", failures, WHOLE),
  ].join("\n");
}
