// Runs the backup process next to the site, and restarts it after a failure.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { logEvent } from "#server/log-event.ts";
import { type Settings, appUserIds } from "#server/settings.ts";

export interface BackupProcess {
  /** Waits up to `timeoutMs` for the final upload, and then stops it. */
  stop(timeoutMs: number): Promise<void>;
}

const FIRST_RESTART_DELAY_MS = 2_000;
const MAX_RESTART_DELAY_MS = 60_000;
/** The backup process keeps a few megabytes of transactions, but no pages. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-old-space-size=256"];

/** Starts server/backup/main.ts as the site's user. Does nothing without BACKUP_BUCKET. */
export function startBackupProcess(settings: Settings, env: NodeJS.ProcessEnv): BackupProcess {
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | null = null;
  let delayMs = FIRST_RESTART_DELAY_MS;
  let isStopping = false;

  function start(): void {
    const started = spawn(
      process.execPath,
      [...NODE_FLAGS, join(settings.root, "server", "backup", "main.ts")],
      {
        cwd: settings.root,
        env: { ...env, NODE_ENV: "production", PARENT_PID: String(process.pid) },
        stdio: "inherit",
        ...appUserIds(settings),
      },
    );
    child = started;
    const startedMs = performance.now();
    const restart = (reason: string) => {
      if (child !== started) return;
      child = null;
      if (isStopping) return;
      if (performance.now() - startedMs > MAX_RESTART_DELAY_MS) delayMs = FIRST_RESTART_DELAY_MS;
      logEvent("error", "launcher.backup_died", { reason, again_in_ms: delayMs });
      timer = setTimeout(start, delayMs);
      delayMs = Math.min(delayMs * 2, MAX_RESTART_DELAY_MS);
    };
    started.once("error", (error) => restart(error.message));
    started.once("exit", (code, signal) => restart(signal ?? `exit code ${code}`));
  }
  if (env.BACKUP_BUCKET) start();

  return {
    async stop(timeoutMs) {
      isStopping = true;
      if (timer) clearTimeout(timer);
      const running = child;
      if (!running) return;
      const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()));
      const killTimer = setTimeout(() => running.kill("SIGKILL"), timeoutMs);
      running.kill("SIGTERM");
      await ended;
      clearTimeout(killTimer);
    },
  };
}
