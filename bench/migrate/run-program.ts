// Runs a program and measures its time and memory, including its child processes.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface ProgramResult {
  readonly ms: number;
  /** The sum for all its processes; 0 without /proc. */
  readonly peakMb: number;
  readonly output: string;
}

const SAMPLE_INTERVAL_MS = 20;
const runningPrograms = new Set<ChildProcess>();

/**
 * Runs `command` with `input` on its standard input. Throws an Error with its output if it fails.
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { input = "", env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<ProgramResult> {
  const startedMs = performance.now();
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  runningPrograms.add(child);
  let [output, errorOutput] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (errorOutput += data.toString()));
  // A program that does not read its input reports the reason when it exits.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  let peakMb = 0;
  const watch = setInterval(
    () => (peakMb = Math.max(peakMb, readPeakMb(child.pid))),
    SAMPLE_INTERVAL_MS,
  );
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.on("error", reject).on("close", resolve),
    );
    if (code !== 0)
      throw new Error(
        `${command} ended with ${code ?? "a signal"}: ${(errorOutput || output).slice(-1_000)}`,
      );
    return { ms: performance.now() - startedMs, peakMb, output };
  } finally {
    clearInterval(watch);
    runningPrograms.delete(child);
  }
}

/** Kills all running programs. */
export function killPrograms(): void {
  for (const child of runningPrograms) child.kill("SIGKILL");
}

/** Returns the peak resident memory of a process and its living descendants, in MB. */
function readPeakMb(pid: number | undefined): number {
  try {
    const processMb =
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean);
    return children.reduce((sum, child) => sum + readPeakMb(Number(child)), processMb);
  } catch {
    return 0;
  }
}
