// What a measurement was made on, and how its numbers are summed up and printed.

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

/** Rows under a head, the first column to the left. */
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

/** The last line of every bench: one JSON object with its ratios, the numbers behind them and the machine. */
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

/** `--name value` from the command line, or the default. */
export function readOption(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}
