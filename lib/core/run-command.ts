// Runs another program without a shell and without the site's environment and secrets.

import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import { env } from "./env.ts";

export interface CommandResult {
  /** null if the program was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandOptions {
  /** Then the program and those that it started are killed. */
  readonly deadlineMs: number;
  /** The rest of each output is dropped. */
  readonly maxOutputChars: number;
  /** Yields to the site's own process. */
  readonly isLowPriority?: boolean;
}

/** How long the rest of the output may take after the program's end. */
const OUTPUT_GRACE_MS = 2_000;

/** Runs `program`. Resolves with its exit code and output. Rejects if it can't start. */
export function runCommand(
  program: string,
  args: readonly string[],
  { deadlineMs, maxOutputChars, isLowPriority = false }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // oxlint-disable-next-line lectern/no-process-env -- passes on only these, and no secrets
    const { PATH = "", HOME = "" } = process.env;
    const guard = startGroupGuard();
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { NODE_ENV: env.NODE_ENV, PATH, HOME, LC_ALL: "C.UTF-8" },
      // Its own process group, so that the programs it starts are killed with it.
      detached: true,
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text.slice(0, maxOutputChars - output[name].length);
      });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // The group has ended.
      }
    };
    guard.watch(child.pid);
    const timer = setTimeout(kill, deadlineMs);
    const finish = () => {
      clearTimeout(timer);
      guard.stop();
    };
    child.on("error", (error) => {
      finish();
      reject(error);
    });
    // A process that has left the group keeps the outputs open, and is not killed.
    child.on("exit", () =>
      setTimeout(() => {
        for (const name of ["stdout", "stderr"] as const) child[name].destroy();
      }, OUTPUT_GRACE_MS).unref(),
    );
    child.on("close", (code) => {
      finish();
      resolve({ code, ...output });
    });
    if (isLowPriority && child.pid !== undefined) lowerPriority(child.pid);
  });
}

/**
 * Starts a shell that kills a process group when this process ends, even by SIGKILL: it waits for
 * the end of its input, which this process holds open. It starts before the group, so that the group
 * is never without it.
 */
function startGroupGuard(): { watch(pgid: number | undefined): void; stop(): void } {
  const shell = spawn("/bin/sh", ["-c", 'read group || exit; read _; kill -s KILL -- "-$group"'], {
    stdio: ["pipe", "ignore", "ignore"],
    // In its own process group, so that it survives a signal to this one.
    detached: true,
  });
  shell.on("error", () => undefined);
  shell.stdin.on("error", () => undefined);
  return {
    watch: (pgid) => void (pgid !== undefined && shell.stdin.write(`${pgid}\n`)),
    stop: () => void shell.kill("SIGKILL"),
  };
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, 10);
  } catch {
    // It has ended, or the system doesn't allow it.
  }
}
