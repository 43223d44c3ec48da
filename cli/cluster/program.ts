// A program of the cluster: started as a session of its own, its output kept in a bounded file, ended as a whole.

import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { listSessionProcesses, killSession, signalSession } from "./process-sessions.ts";
import { WORKSPACE_ENV, type Workspace } from "./workspace.ts";

/** Of a log two files are kept, this one and the one before it. */
const LOG_BYTES = 8 * 1024 * 1024;

/** As processes get it; not Node's own type, to which Next adds what it can't do without. */
export type Environment = Record<string, string | undefined>;

export interface ProgramOptions {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Environment;
  readLog: string;
  workspace: Workspace;
}

export interface Program {
  /** The session of its processes, which is also the id of the first of them. */
  readonly session: number;
  isRunning(): boolean;
  /** How the first process ended: its exit code or the signal's name; null while it runs. */
  exitStatus(): number | NodeJS.Signals | null;
  /** SIGTERM to the first process, and waits for the whole session to end; after `graceMs` it is killed. Resolves to `ended()`. */
  stop(graceMs: number): Promise<number | NodeJS.Signals | null>;
  /** SIGKILL to everything at once, as when a machine dies. */
  kill(): Promise<void>;
  /** SIGSTOP or SIGCONT to everything. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

/** Starts it. What it can't start for is in the log, and `isRunning` is false. */
export function startProgram({
  command,
  args,
  cwd,
  env,
  readLog,
  workspace,
}: ProgramOptions): Program {
  const child: ChildProcess = spawn(command, args, {
    cwd,
    env: { ...env, [WORKSPACE_ENV]: workspace.folder } as Environment as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const keep = openBoundedLog(readLog);
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  let failed = false;
  child.on("error", (error) => {
    failed = true;
    keep(`${error.message}\n`);
  });
  const session = child.pid ?? -1;
  if (child.pid !== undefined) workspace.registerSession(session);
  const gone = new Promise<void>((resolve) =>
    child.once("exit", () => resolve()).once("error", () => resolve()),
  );
  const ended = () => child.exitCode ?? child.signalCode;
  const isRunning = () => !failed && ended() === null;
  return {
    session,
    isRunning,
    exitStatus: ended,
    async stop(graceMs) {
      if (failed) return null;
      child.kill("SIGTERM");
      const late = setTimeout(() => signalSession(session, "SIGKILL"), graceMs);
      await gone;
      clearTimeout(late);
      if (listSessionProcesses(session).length > 0) await killSession(session);
      return ended();
    },
    async kill() {
      if (failed) return;
      await killSession(session);
      await gone;
    },
    signal: (signal) => signalSession(session, signal),
  };
}

/** The end of a log, `bytes` of it at most, also where the file was just begun anew. */
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
    // Written at once: what a program said last must be there when it is looked for. Its folder may be gone at the end.
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
