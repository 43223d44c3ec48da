// Runs the test runners on tests that fail, pass and are skipped, and reads their reports.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatFailures, readPlaywright, readVitest } from "./test-report.mjs";

let folder: string;

beforeAll(() => {
  // Inside the checkout, so that the tests find its packages; in a folder that no runner scans.
  mkdirSync(".data", { recursive: true });
  folder = mkdtempSync(join(".data", "reports-test-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tests = (from: string) => `
import { expect, test } from "${from}";
test("passes", () => {});
test("fails", () => expect("the value").toBe("the expected value"));
test.skip("is skipped", () => {});
`;

/** Runs a program and resolves at its exit, whatever its code. */
const run = (args: readonly string[], env: Record<string, string> = {}) =>
  new Promise<void>((resolve) =>
    execFile(process.execPath, args, { env: { ...process.env, ...env }, timeout: 60_000 }, () =>
      resolve(),
    ),
  );

test("Vitest's report names failed tests and broken files", async () => {
  writeFileSync(join(folder, "one.test.mjs"), tests("vitest"));
  writeFileSync(join(folder, "broken.test.mjs"), `throw new Error("this file can't be read");`);
  writeFileSync(
    join(folder, "vitest.config.mjs"),
    `export default { test: { include: ["*.test.mjs"] } };`,
  );
  const file = join(folder, "unit.json");
  await run([
    "node_modules/.bin/vitest",
    "run",
    "--root",
    folder,
    "--reporter=json",
    `--outputFile=${join(process.cwd(), file)}`,
  ]);
  const report = readVitest(JSON.parse(readFileSync(file, "utf8")));
  expect(report).toMatchObject({ passed: 1, failed: 2, skipped: 1 });
  const failures = report.failures.sort((a, b) => (a.name < b.name ? -1 : 1));
  expect(failures.map(({ name }) => name.slice(folder.length))).toEqual([
    "/broken.test.mjs",
    "/one.test.mjs › fails",
  ]);
  expect(failures[0]?.output).toContain("this file can't be read");
  expect(failures[1]?.output).toContain("the expected value");
});

test("Playwright's report names failed tests", async () => {
  writeFileSync(join(folder, "one.spec.ts"), tests("@playwright/test"));
  writeFileSync(
    join(folder, "playwright.config.ts"),
    `export default { testMatch: "*.spec.ts", outputDir: "results" };`,
  );
  const file = resolve(folder, "e2e.json");
  await run(
    [
      "node_modules/.bin/playwright",
      "test",
      "-c",
      join(folder, "playwright.config.ts"),
      "--reporter=json",
    ],
    { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
  );
  const report = readPlaywright(JSON.parse(readFileSync(file, "utf8")));
  expect(report).toMatchObject({ passed: 1, failed: 1, skipped: 1 });
  expect(report.failures).toEqual([
    { name: "one.spec.ts:4 › fails", output: expect.stringContaining("the expected value") },
  ]);
});

test("a server that does not start is a failure in Playwright's report", async () => {
  writeFileSync(
    join(folder, "playwright.config.ts"),
    `export default { testMatch: "*.spec.ts", outputDir: "results", webServer: { command: "exit 3", url: "http://127.0.0.1:9/", timeout: 10_000 } };`,
  );
  const file = resolve(folder, "server.json");
  await run(
    [
      "node_modules/.bin/playwright",
      "test",
      "-c",
      join(folder, "playwright.config.ts"),
      "--reporter=json",
    ],
    { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
  );
  const report = readPlaywright(JSON.parse(readFileSync(file, "utf8")));
  expect(report.failed).toBeGreaterThan(0);
  expect(formatFailures(report.failures)).toContain("outside of the tests");
});

test("failures are printed without colors, shortened, and beyond the first by name only", () => {
  const failures = Array.from({ length: 6 }, (_, i) => ({
    name: `test ${i}`,
    output: `\u001b[31mred\u001b[39m ${i}\n${"a line\n".repeat(100)}`,
  }));
  const text = formatFailures(failures);
  expect(text).toMatch(/^Failed:\n {2}- test 0\n {6}red 0\n {6}a line\n/);
  expect(text).toContain("… 71 more lines above");
  expect(text).toContain("  - test 5");
  expect(text).not.toContain("red 5");
  expect(text.split("\n").length).toBeLessThan(140);
  expect(formatFailures([])).toBe("");
});
