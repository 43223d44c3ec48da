import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readReports, renderBlocks, renderDocuments } from "./documents.ts";
import { GOALS, type Report, resultsOf } from "./goals.ts";
import { plotResults } from "./plot.ts";
import { summary } from "./summary.ts";

const reports = readReports();
const results = Object.entries(reports).flatMap(([bench, report]) =>
  resultsOf(bench, report).map((result) => ({ bench, ...result })),
);

/** A report of the beacon benchmark, whose only goal is 0.7. */
const beaconReport = (ratio: number): Report => ({
  ratios: { "÷ no database call": ratio },
  numbers: {},
  at: "2026-01-02T03:04:05.000Z",
});

test("the tables, the plot and the posts match docs/benchmarks.json", async () => {
  for (const [file, text] of await renderDocuments(reports))
    expect(readFileSync(file, "utf8"), `${file}: run npm run bench -- save`).toBe(text);
});

test("every goal has a saved result", () => {
  for (const [bench, goals] of Object.entries(GOALS)) {
    const saved = results.filter((result) => result.bench === bench).map(({ name }) => name);
    expect(saved, bench).toEqual(goals.map(({ name }) => name));
  }
});

test("every missed goal has a reason", () => {
  const unexplained = results.filter(({ isMet, reason }) => !isMet && !reason);
  expect(unexplained.map(({ bench, name }) => `${bench}: ${name}`)).toEqual([]);
});

test("a goal is a minimum or a maximum, and its name fits next to the plot on a phone", () => {
  for (const { name, atLeast, atMost } of Object.values(GOALS).flat()) {
    expect((atLeast === undefined) !== (atMost === undefined), name).toBe(true);
    expect(name.length, name).toBeLessThanOrEqual(34);
  }
});

test("a goal is met by its own value and anything better", () => {
  const isMet = (bench: string, report: Report) => resultsOf(bench, report).map((one) => one.isMet);
  expect(isMet("beacon", beaconReport(0.7))).toEqual([true]);
  expect(isMet("beacon", beaconReport(0.69))).toEqual([false]);
  const compile = (ratio: number): Report => ({
    ratios: { "p99 while compiling ÷ idle": ratio },
    numbers: {},
    at: "2026-01-02",
  });
  expect(isMet("compile", compile(3))).toEqual([true]);
  expect(isMet("compile", compile(3.01))).toEqual([false]);
});

test("results that a run did not measure are omitted", () => {
  const { "anonymous ÷ Ghost": _, ...ratios } = reports.peers!.ratios;
  const names = resultsOf("peers", { ...reports.peers!, ratios }).map(({ name }) => name);
  expect(names).not.toContain("anonymous ÷ Ghost");
  expect(names).toContain("anonymous ÷ Astro, prerendered");
});

test("the summary shows the options of a run, its date, and whether it meets the goal", () => {
  const report = { ...beaconReport(0.5), options: ["--rounds", "1"] };
  const text = summary({ beacon: report });
  expect(text).toContain("0 of 1 goals are met");
  expect(text).toContain(
    "| `beacon --rounds 1` | ÷ no database call | ≥ 0.7 | 0.5 | **missed** | 2026-01-02 |",
  );
  expect(summary({ beacon: beaconReport(0.8) })).toContain("| 0.8 | met |");
});

test("the plot shows results on the right side of the goal, and those beyond the scale at its end", () => {
  const goalX = Number(/class="goal" x1="([\d.]+)"/.exec(plotResults({}))![1]);
  const circleX = (ratio: number) =>
    Number(/<circle cx="([\d.]+)"/.exec(plotResults({ beacon: beaconReport(ratio) }))![1]);
  const squareX = (ratio: number) =>
    Number(/<rect x="([\d.]+)"/.exec(plotResults({ beacon: beaconReport(ratio) }))![1]);
  expect(circleX(1.4)).toBeGreaterThan(goalX);
  expect(squareX(0.35)).toBeLessThan(goalX);
  expect(circleX(700)).toBe(circleX(7_000));
  expect(circleX(700)).toBeLessThanOrEqual(356);
});

test("a document keeps its text around the blocks, and an unknown block is rejected", async () => {
  const document = "before\n\n<!-- benchmarks: beacon -->\nold\n<!-- /benchmarks -->\n\nafter\n";
  const rendered = await renderBlocks(document, reports);
  expect(rendered).toMatch(/^before\n\n<!-- benchmarks: beacon -->\n\n\|/);
  expect(rendered).toMatch(/\n\n<!-- \/benchmarks -->\n\nafter\n$/);
  expect(rendered).not.toContain("old");
  expect(await renderBlocks(rendered, reports)).toBe(rendered);
  await expect(renderBlocks(document.replace("beacon", "nothing"), reports)).rejects.toThrow(
    '"nothing"',
  );
});
