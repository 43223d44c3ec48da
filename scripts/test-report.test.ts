// The runners themselves, on tests that fail, that fail once, and that pass.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digest, readPlaywright, readVitest } from "./test-report.mjs";

let folder: string;

beforeAll(() => {
  // Within the checkout, since its packages are what these tests import; where no runner and no linter looks.
  mkdirSync(".data", { recursive: true });
  folder = mkdtempSync(join(".data", "reports-test-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tests = (from: string) => `
import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "${from}";
import { expectKept } from ${JSON.stringify(resolve("tests/support/invariants.ts"))};
test("passes", () => {});
test("fails always", () => expect("what is there").toBe("what was promised"));
test("fails once", () => {
  const mark = ${JSON.stringify(join(folder, from.replace(/\W/g, "")))};
  if (existsSync(mark)) return;
  writeFileSync(mark, "");
  throw new Error("the machine was busy");
});
test("breaks a promise once", () => {
  const mark = ${JSON.stringify(join(folder, `${from.replace(/\W/g, "")}-promise`))};
  if (existsSync(mark)) return;
  writeFileSync(mark, "");
  expectKept("no write is lost", ["the write of Ada"]);
});
test.skip("is skipped", () => {});
`;

/** Runs a program to its end, whatever that is. */
const run = (args: readonly string[], env: Record<string, string> = {}) =>
  new Promise<void>((resolve) =>
    execFile(process.execPath, args, { env: { ...process.env, ...env }, timeout: 60_000 }, () =>
      resolve(),
    ),
  );

test("vitest's report: failures with what they said, and what passed at the second try", async () => {
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
    "--retry=1",
    "--reporter=json",
    `--outputFile=${join(process.cwd(), file)}`,
  ]);
  const report = readVitest(JSON.parse(readFileSync(file, "utf8")));
  expect(report).toMatchObject({ passed: 2, failed: 3, skipped: 1 });
  expect(report.failures.map(({ name }) => name.slice(folder.length)).sort()).toEqual([
    "/broken.test.mjs",
    "/one.test.mjs › breaks a promise once",
    "/one.test.mjs › fails always",
  ]);
  expect(report.failures.map(({ said }) => said).join("\n")).toMatch(
    /what was promised[^]*this file can't be read|this file can't be read[^]*what was promised/,
  );
  expect(report.secondTry).toEqual([
    {
      name: `${folder}/one.test.mjs › fails once`,
      said: expect.stringContaining("the machine was busy"),
    },
  ]);
});

test("Playwright's report: failures with what they said, and what passed at the second try", async () => {
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
      "--retries=1",
      "--reporter=json",
    ],
    { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
  );
  const report = readPlaywright(JSON.parse(readFileSync(file, "utf8")));
  expect(report).toMatchObject({ passed: 2, failed: 2, skipped: 1 });
  expect(report.failures).toEqual([
    { name: "one.spec.ts:6 › fails always", said: expect.stringContaining("what was promised") },
    {
      name: "one.spec.ts:13 › breaks a promise once",
      said: expect.stringMatching(/no write is lost[^]*the write of Ada/),
    },
  ]);
  expect(report.secondTry).toEqual([
    { name: "one.spec.ts:7 › fails once", said: expect.stringContaining("the machine was busy") },
  ]);
});

test("Playwright's report of a server that does not start is a failure", async () => {
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
  expect(digest(report.failures, report.secondTry)).toContain("outside of the tests");
});

test("the end of a run says each failure without colours, shortened, and names the rest", () => {
  const failures = Array.from({ length: 6 }, (_, i) => ({
    name: `test ${i}`,
    said: `\u001b[31mred\u001b[39m ${i}\n${"a line\n".repeat(100)}`,
  }));
  const text = digest(failures, [{ name: "slow", said: "late" }]);
  expect(text).toMatch(
    /^Passed at the second try only:\n {2}- slow\n {6}late\nFailed:\n {2}- test 0\n {6}red 0\n {6}a line\n/,
  );
  expect(text).toContain("… 71 lines more above");
  expect(text).toContain("  - test 5");
  expect(text).not.toContain("red 5");
  expect(text.split("\n").length).toBeLessThan(140);
  expect(digest([], [])).toBe("");
});
