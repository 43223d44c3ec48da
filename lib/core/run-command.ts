// Runs another program without the site's environment and secrets. A shell starts it, but never
// parses its arguments.

import { spawn } from "node:child_process";
import type { Socket } from "node:net";
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
/**
 * Starts a guard, then replaces the shell with the program. The guard waits for a line on
 * descriptor 3. If the descriptor closes without one, the site has exited, and the guard kills the
 * process group. This also works if SIGKILL ends the site while the program starts.
 *
 * The guard is not a child of the program, which may wait for all of its children.
 */
const SCRIPT = '( (read _ <&3 || kill -s KILL -- -$$) >/dev/null 2>&1 & ); exec "$@" 3<&-';

/**
 * Runs `program`. Resolves with its exit code and output; if the program doesn't exist, with the
 * shell's code 127 and message. Rejects if the shell can't start.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  { deadlineMs, maxOutputChars, isLowPriority = false }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // oxlint-disable-next-line lectern/no-process-env -- passes on only these, and no secrets
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn("/bin/sh", ["-c", SCRIPT, "sh", program, ...args], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { NODE_ENV: env.NODE_ENV, PATH, HOME, LC_ALL: "C.UTF-8" },
      // Its own process group, so that the programs it starts are killed with it.
      detached: true,
    });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // The group has ended.
      }
    };
    const timer = setTimeout(kill, deadlineMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    // Without free file descriptors, there are no streams, and "error" follows.
    if (!child.stdout) return;
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name]!.setEncoding("utf8").on("data", (text: string) => {
        output[name] += text.slice(0, maxOutputChars - output[name].length);
      });
    const guard = child.stdio[3] as Socket;
    guard.on("error", () => undefined);
    child.on("exit", () => {
      guard.end("\n", () => guard.destroy());
      // A process that has left the group keeps the outputs open, and is not killed.
      setTimeout(() => {
        for (const name of ["stdout", "stderr"] as const) child[name]!.destroy();
      }, OUTPUT_GRACE_MS).unref();
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, ...output });
    });
    if (isLowPriority && child.pid !== undefined) lowerPriority(child.pid);
  });
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, 10);
  } catch {
    // It has ended, or the system doesn't allow it.
  }
}
