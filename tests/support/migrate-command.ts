// Runs the migration command in a process that can be killed.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");

export interface CommandResult {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  /** The parsed lines of --json output. */
  readonly events: Record<string, unknown>[];
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandResult>;
}

/**
 * Starts the command with `env`, but of this process's environment only PATH and the compile cache.
 */
export function startMigrate(
  args: readonly string[],
  env: Record<string, string> = {},
): RunningCommand {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "cli/migrate-postgres/main.ts", ...args],
    {
      cwd: ROOT,
      env: {
        PATH,
        ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
        ...env,
      } as unknown as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout!.on("data", (data) => (output += data));
  child.stderr!.on("data", (data) => (output += data));
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        code,
        signal,
        output,
        events: output
          .split("\n")
          .filter((line) => line.startsWith("{") && line.endsWith("}"))
          .map((line) => JSON.parse(line) as Record<string, unknown>),
      }),
    );
  });
  return { child, ended };
}

/** Runs the command to its end. */
export function runMigrate(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CommandResult> {
  return startMigrate(args, env).ended;
}
