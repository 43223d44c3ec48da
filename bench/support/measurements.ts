// Summarizes measurements, and prints them with their goals and the machine they were made on.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { basename, join } from "node:path";
import { formatGoal, resultsOf, withUnit } from "#bench/report/goals.ts";

/** The last report of each benchmark. */
export const REPORTS_DIR = join(".data", "bench-reports");

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] as number;
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Prints a table with the first column left-aligned, the others right-aligned. */
export function printTable(head: readonly string[], rows: readonly (string | number)[][]): void {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, i) =>
          i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
        )
        .join("  "),
    );
}

/**
 * Prints the results that have a goal and, as the last line of every benchmark, one JSON object with
 * its ratios, their numbers and the machine. `npm run bench -- save` reads the same object from
 * REPORTS_DIR.
 */
export function printReport(
  bench: string,
  ratios: Record<string, number>,
  numbers: Record<string, unknown>,
): void {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: round(totalmem() / 2 ** 30, 0),
    node: process.versions.node,
  };
  const options = process.argv.slice(2);
  const report = { bench, ratios, numbers, machine, options, at: new Date().toISOString() };
  const results = resultsOf(bench, report);
  if (results.length > 0) {
    printTable(
      ["result", "", "goal", ""],
      results.map((result) => [
        result.name,
        withUnit(result.value, result.unit),
        formatGoal(result),
        result.isMet ? "met" : "missed",
      ]),
    );
    console.log("");
  }
  const line = JSON.stringify(report);
  mkdirSync(REPORTS_DIR, { recursive: true });
  writeFileSync(join(REPORTS_DIR, `${basename(process.argv[1]!, ".ts")}.json`), `${line}\n`);
  console.log(line);
}

/** Returns the number after `--name` on the command line, or `defaultValue`. */
export function readOption(name: string, defaultValue: number): number {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? defaultValue : Number(process.argv[index + 1]);
}
