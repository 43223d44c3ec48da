// Summarizes measurements, and prints them with the machine they were made on.

import { cpus, totalmem } from "node:os";

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
 * Prints the last line of every benchmark: one JSON object with its ratios, their numbers and the
 * machine.
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
  console.log(JSON.stringify({ bench, ratios, numbers, machine, at: new Date().toISOString() }));
}

/** Returns the number after `--name` on the command line, or `defaultValue`. */
export function readOption(name: string, defaultValue: number): number {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? defaultValue : Number(process.argv[index + 1]);
}
