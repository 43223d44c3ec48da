// Starts the site's process, restarts it after crashes, and drains it.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { waitForReadableDatabase } from "./wait-for-database.ts";
import { logEvent } from "#server/log-event.ts";
import { SERVER_ENV } from "#server/server-flags.mjs";
import { type Settings, appUserIds } from "#server/settings.ts";

export interface SiteProcess {
  /**
   * Resolves to the launcher's exit code once the site has crashed too often; otherwise never
   * resolves.
   */
  readonly failure: Promise<number>;
  /**
   * Refuses new connections, lets running requests finish within `timeoutMs`, and ends the process.
   */
  drain(timeoutMs: number): Promise<void>;
  /** Kills the process immediately. */
  kill(): void;
}

/** This many crashes within the window are a failure. */
const MAX_CRASHES = 5;
const CRASH_WINDOW_MS = 600_000;
const RESTART_DELAY_MS = 1_000;

/**
 * Starts server/site.ts as the site's user, with the Node flags `flags`. Waits `pauseMs` after the
 * first crash, and longer after each further one.
 */
export function startSiteProcess(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  flags: readonly string[],
  pauseMs = RESTART_DELAY_MS,
): SiteProcess {
  const { app, root } = settings;
  let child: ChildProcess | null = null;
  let isStopping = false;
  const deaths: number[] = [];
  const { promise: failed, resolve: fail } = Promise.withResolvers<number>();

  function start(): void {
    if (isStopping) return;
    const args = ["--hostname", app.host, "--port", app.port];
    const started = spawn(process.execPath, [...flags, join(root, "server", "site.ts"), ...args], {
      cwd: root,
      env: { ...SERVER_ENV, ...env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
      stdio: "inherit",
      ...appUserIds(settings),
    });
    child = started;
    started.once("error", (error) => died(error.message));
    started.once("exit", (code, signal) => died(signal ?? `exit code ${code}`));
    if (settings.isReplicated)
      void waitForReadableDatabase(app, () => isStopping || child !== started);
    function died(reason: string): void {
      if (child !== started) return;
      child = null;
      if (isStopping) return;
      const nowMs = performance.now();
      deaths.push(nowMs);
      const recent = deaths.filter((atMs) => atMs > nowMs - CRASH_WINDOW_MS).length;
      logEvent("error", "launcher.site_died", { reason, deaths: recent });
      if (recent >= MAX_CRASHES) fail(1);
      else setTimeout(start, pauseMs * recent);
    }
  }
  start();

  return {
    failure: failed,
    async drain(timeoutMs) {
      isStopping = true;
      const running = child;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()));
      const timer = setTimeout(() => {
        logEvent("warn", "launcher.killed", { after_ms: timeoutMs });
        running.kill("SIGKILL");
      }, timeoutMs);
      running.kill("SIGTERM");
      await ended;
      clearTimeout(timer);
    },
    kill() {
      isStopping = true;
      child?.kill("SIGKILL");
    },
  };
}
