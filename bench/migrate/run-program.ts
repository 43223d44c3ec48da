// Programs that are measured: how long they take and how much memory they hold, with the processes that they start.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface ProgramResult {
  readonly ms: number;
  /** Of all its processes together; 0 where there is no /proc. */
  readonly peakMb: number;
  readonly output: string;
}

const SAMPLE_INTERVAL_MS = 20;
const runningPrograms = new Set<ChildProcess>();

/** Runs `command` to its end, `input` on its standard input. Throws with what it said where it fails. */
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
  let [out, said] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  // Who does not read what it is given says by its exit why.
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
        `${command} ended with ${code ?? "a signal"}: ${(said || out).slice(-1_000)}`,
      );
    return { ms: performance.now() - startedMs, peakMb, output: out };
  } finally {
    clearInterval(watch);
    runningPrograms.delete(child);
  }
}

/** Ends what is running now, however it is. */
export function killPrograms(): void {
  for (const child of runningPrograms) child.kill("SIGKILL");
}

/** The highest resident memory so far of a process and of those below it that live, in MB. */
function readPeakMb(pid: number | undefined): number {
  try {
    const own =
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
    const below = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean);
    return below.reduce((sum, one) => sum + readPeakMb(Number(one)), own);
  } catch {
    return 0;
  }
}
