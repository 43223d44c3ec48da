// Runs a program of the cluster in its own session, with its output in a bounded log file.

import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { listSessionProcesses, killSession, signalSession } from "./process-sessions.ts";
import { WORKSPACE_ENV, type Workspace } from "./workspace.ts";

/** A log rotates at this size; one older file is kept. */
const LOG_BYTES = 8 * 1024 * 1024;

/** Unlike NodeJS.ProcessEnv, which Next extends with required variables. */
export type Environment = Record<string, string | undefined>;

export interface ProgramOptions {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Environment;
  logFile: string;
  workspace: Workspace;
}

export interface Program {
  /** The session ID, which is also the PID of its first process. */
  readonly session: number;
  isRunning(): boolean;
  /** Returns the first process's exit code or signal; null while it runs. */
  exitStatus(): number | NodeJS.Signals | null;
  /**
   * Sends SIGTERM to the first process and kills the session after `graceMs`. Returns the exit
   * status.
   */
  stop(graceMs: number): Promise<number | NodeJS.Signals | null>;
  /** Sends SIGKILL to the whole session. */
  kill(): Promise<void>;
  /** Sends SIGSTOP or SIGCONT to the whole session. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

/** Starts the program. If that fails, the reason is in the log and isRunning() is false. */
export function startProgram({
  command,
  args,
  cwd,
  env,
  logFile,
  workspace,
}: ProgramOptions): Program {
  const child: ChildProcess = spawn(command, args, {
    cwd,
    env: { ...env, [WORKSPACE_ENV]: workspace.folder } as Environment as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const append = openBoundedLog(logFile);
  child.stdout?.on("data", append);
  child.stderr?.on("data", append);
  let failed = false;
  child.on("error", (error) => {
    failed = true;
    append(`${error.message}\n`);
  });
  const session = child.pid ?? -1;
  if (child.pid !== undefined) workspace.registerSession(session);
  const exited = new Promise<void>((resolve) =>
    child.once("exit", () => resolve()).once("error", () => resolve()),
  );
  const exitStatus = () => child.exitCode ?? child.signalCode;
  const isRunning = () => !failed && exitStatus() === null;
  return {
    session,
    isRunning,
    exitStatus,
    async stop(graceMs) {
      if (failed) return null;
      child.kill("SIGTERM");
      const killTimer = setTimeout(() => signalSession(session, "SIGKILL"), graceMs);
      await exited;
      clearTimeout(killTimer);
      if (listSessionProcesses(session).length > 0) await killSession(session);
      return exitStatus();
    },
    async kill() {
      if (failed) return;
      await killSession(session);
      await exited;
    },
    signal: (signal) => signalSession(session, signal),
  };
}

/** Returns the last `bytes` of a log, across a rotation. */
export function readLog(file: string, bytes = 64 * 1024): string {
  return [`${file}.1`, file]
    .filter((one) => existsSync(one))
    .map((one) => readFileSync(one, "utf8"))
    .join("")
    .slice(-bytes);
}

function openBoundedLog(file: string): (data: Buffer | string) => void {
  let size = existsSync(file) ? statSync(file).size : 0;
  return (data) => {
    // Synchronous, so that the last output is readable immediately. The folder may be gone at the
    // end.
    try {
      if (size > LOG_BYTES) {
        renameSync(file, `${file}.1`);
        size = 0;
      }
      appendFileSync(file, data);
      size += data.length;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  };
}
