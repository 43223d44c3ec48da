// Starts the site's process, restarts it after crashes and hangs, and drains it.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { waitForReadableDatabase } from "./wait-for-database.ts";
import { logEvent } from "#server/log-event.ts";
import { SERVER_ENV } from "#server/server-flags.mjs";
import { type Settings, appUserIds } from "#server/settings.ts";
import type { MessageFromSite } from "#server/launcher-messages.ts";
import {
  WATCHDOG_LIMITS,
  type WatchdogLimits,
  describeHang,
  findFreePort,
  sendToSite,
  watchEventLoop,
} from "./watchdog.ts";

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
  /** Lets a replicated site write until `validUntilMs`, by monotonicMs(). It can't before. */
  setLease(validUntilMs: number): void;
}

export interface SiteProcessOptions {
  /** Pause after the first crash; each further one adds as much. Default: 1 s. */
  readonly pauseMs?: number;
  /** Resolves to true once no node without `position` can become the primary. */
  readonly confirmPosition?: (position: Position) => Promise<boolean>;
  /** Runs after a hung process was killed, and before the next one starts. */
  readonly afterHang?: () => Promise<unknown>;
  /** Default: those of watchdog.ts; null while a debugger may pause the site. */
  readonly watchdog?: WatchdogLimits | null;
}

/** This many crashes within the window are a failure. */
const MAX_CRASHES = 5;
const CRASH_WINDOW_MS = 600_000;
const RESTART_DELAY_MS = 1_000;

/** Starts server/site.ts as the site's user, with the Node flags `flags`. */
export function startSiteProcess(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  flags: readonly string[],
  {
    pauseMs = RESTART_DELAY_MS,
    confirmPosition,
    afterHang,
    watchdog = env.NODE_OPTIONS?.includes("--inspect") ? null : WATCHDOG_LIMITS,
  }: SiteProcessOptions = {},
): SiteProcess {
  const { app, root } = settings;
  let child: ChildProcess | null = null;
  let isStopping = false;
  let stopWatching = () => {};
  let leaseUntilMs = 0;
  const deaths: number[] = [];
  const { promise: failed, resolve: fail } = Promise.withResolvers<number>();

  async function start(): Promise<void> {
    // Closed until watchdog.ts opens it.
    const inspectPort = await findFreePort();
    if (isStopping) return;
    const args = ["--hostname", app.host, "--port", app.port];
    const started = spawn(
      process.execPath,
      [
        ...flags,
        `--inspect-port=127.0.0.1:${inspectPort}`,
        join(root, "server", "site.ts"),
        ...args,
      ],
      {
        cwd: root,
        env: { ...SERVER_ENV, ...env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
        stdio: ["inherit", "inherit", "inherit", "ipc"],
        ...appUserIds(settings),
      },
    );
    child = started;
    let beforeRestart: Promise<unknown> = Promise.resolve();
    started.once("error", (error) => died(error.message));
    started.once("exit", (code, signal) => died(signal ?? `exit code ${code}`));
    started.on("message", (message: MessageFromSite) => {
      if (message.kind === "confirm") void confirm(started, message);
    });
    if (watchdog) {
      stopWatching = watchEventLoop(
        started,
        (silentMs) => {
          beforeRestart = endHungSite(started, silentMs, inspectPort, watchdog.stackMs);
        },
        watchdog,
      );
    }
    if (settings.isReplicated) sendToSite(started, { kind: "lease", validUntilMs: leaseUntilMs });
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
      void beforeRestart.then(() => {
        if (recent >= MAX_CRASHES) fail(1);
        else setTimeout(run, pauseMs * recent);
      });
    }
  }

  function run(): void {
    start().catch((error: unknown) => {
      logEvent("error", "launcher.site_not_started", { error });
      fail(1);
    });
  }

  async function endHungSite(
    site: ChildProcess,
    silentMs: number,
    inspectPort: number,
    stackMs: number,
  ): Promise<void> {
    const processState = await describeHang(site, inspectPort, stackMs);
    if (isStopping || site.exitCode !== null || site.signalCode !== null) return;
    logEvent("error", "launcher.site_hung", { silent_ms: silentMs, ...processState });
    // First, so that its transactions and file locks end.
    site.kill("SIGKILL");
    await afterHang?.();
  }

  async function confirm(site: ChildProcess, { id, position }: { id: number; position: Position }) {
    const isConfirmed = (await confirmPosition?.(position).catch(() => false)) ?? false;
    sendToSite(site, { kind: "confirmed", id, isConfirmed });
  }
  run();

  return {
    failure: failed,
    async drain(timeoutMs) {
      isStopping = true;
      stopWatching();
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
    setLease(validUntilMs) {
      leaseUntilMs = validUntilMs;
      if (child) sendToSite(child, { kind: "lease", validUntilMs });
    },
  };
}
