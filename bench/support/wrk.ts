// Runs wrk, the load generator (Debian: apt install wrk).

import { spawn, spawnSync } from "node:child_process";

export interface WrkResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Responses other than 2xx and 3xx, and socket errors. Any makes the measurement invalid. */
  readonly failed: number;
}

export interface WrkOptions {
  readonly seconds: number;
  readonly connections?: number;
  readonly headers?: Record<string, string>;
  /** A Lua script for wrk. */
  readonly script?: string;
}

export function requireWrk(): void {
  if (spawnSync("wrk", ["-v"]).error) {
    console.error("The benchmarks need wrk. Debian: apt install wrk; macOS: brew install wrk.");
    process.exit(2);
  }
}

const parseMs = (text: string): number => {
  const [, value, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  if (!value) throw new Error(`wrk printed the duration “${text}”.`);
  return Number(value) * { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[unit as "us" | "ms" | "s" | "m"];
};

/** Returns what wrk --latency printed. Throws if a figure is missing, so that none becomes 0. */
export function parseWrkOutput(output: string): WrkResult {
  const figure = (pattern: RegExp): string => {
    const value = pattern.exec(output)?.[1];
    if (value === undefined) throw new Error(`wrk printed:\n${output}`);
    return value;
  };
  const [, ...socketErrors] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? [];
  const badStatuses = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? "0";
  return {
    perSecond: Number(figure(/^Requests\/sec:\s+([\d.]+)/m)),
    // Anchored to the line's start, because the table above it has percentages in its last column.
    p50Ms: parseMs(figure(/^ +50%\s+(\S+)/m)),
    p99Ms: parseMs(figure(/^ +99%\s+(\S+)/m)),
    failed: [badStatuses, ...socketErrors].reduce((sum, count) => sum + Number(count), 0),
  };
}

/** Runs wrk against `url` with one thread. */
export function runWrk(
  url: string,
  { seconds, connections = 16, headers = {}, script }: WrkOptions,
): Promise<WrkResult> {
  const args = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout",
    "10s",
    "--latency",
    ...(script ? ["-s", script] : []),
    ...Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    url,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", args);
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    child.on("error", reject);
    child.on("close", () => {
      try {
        resolve(parseWrkOutput(output));
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}
