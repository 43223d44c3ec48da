// Runs the site under LiteFS: waits for data, migrates it on the primary, serves, hands over the
// lease, and drains.

import { readFileSync } from "node:fs";
import { connectConsul } from "#server/consul.ts";
import { startBackupProcess } from "./backup-process.ts";
import { runMigrations } from "./run-migrations.ts";
import { handOverLease } from "./hand-over-lease.ts";
import { type LocalDatabase, type RestartCode, openLocalDatabase } from "./local-database.ts";
import { logEvent } from "#server/log-event.ts";
import { type SiteProcess, startSiteProcess } from "./site-process.ts";
import type { Settings } from "#server/settings.ts";

/** Short, because a new primary accepts writes only after the next poll. */
const POLL_INTERVAL_MS = 100;
/** Part of the kill timeout for the handover. */
const HAND_OVER_TIMEOUT_MS = 2_000;
/** Part of the kill timeout for LiteFS and the supervisor, after the site has exited. */
const RESERVE_MS = 4_000;
/** Part of RESERVE_MS. */
const BACKUP_STOP_TIMEOUT_MS = 3_000;

/**
 * Runs until a signal arrives, the site fails permanently, or the supervisor must decide again.
 * Returns the exit code: 0 after a signal, so that LiteFS releases the lease. `flags` are the Node
 * flags for the site.
 */
export async function launchSite(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  flags: readonly string[],
): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort(signal));

  let server: SiteProcess | null = null;
  exitWithParent(settings, env.SUPERVISOR_PID, () => server?.kill());
  if (!settings.isReplicated) {
    const applied = await runMigrations(settings, env, settings.databaseFile);
    if (applied.length > 0) logEvent("info", "launcher.migrated", { applied });
    const site = (server = startSiteProcess(settings, env, flags));
    const backup = startBackupProcess(settings, env);
    const drain = async () => {
      await waitForAbort(stop.signal);
      try {
        return await drainSite(settings, site, performance.now());
      } finally {
        await backup.stop(BACKUP_STOP_TIMEOUT_MS);
      }
    };
    return Promise.race([site.failure, drain()]);
  }

  const database = openLocalDatabase(
    settings,
    env,
    connectConsul(settings.lease.consulUrl, settings.lease.key),
    (validUntilMs) => server?.setLease(validUntilMs),
  );
  const ready = await database.prepareDatabase(stop.signal);
  if (stop.signal.aborted) return 0;
  if (ready !== "ready") return ready;
  server = startSiteProcess(settings, env, flags, {
    confirmPosition: database.confirmPosition,
    afterHang: () => handOverLease(settings, HAND_OVER_TIMEOUT_MS),
  });
  const backup = startBackupProcess(settings, env);

  const stopped = waitForAbort(stop.signal).then(() => "stop" as const);
  const outcome = await Promise.race([server.failure, stopped, watchRole(database)]);
  const fromMs = performance.now();
  await handOverLease(settings, HAND_OVER_TIMEOUT_MS);
  await drainSite(settings, server, fromMs);
  // The next primary stores the last transactions.
  await backup.stop(0);
  return outcome === "stop" ? 0 : outcome;
}

/**
 * Polls the role until a restart is needed. A promotion may need migrations, and a caught-up node
 * may become a candidate. Also runs while the site drains: each poll on the primary renews its
 * lease, and running requests can't write without it.
 */
async function watchRole(database: LocalDatabase): Promise<RestartCode> {
  for (;;) {
    const code = await database.checkRole();
    if (code !== "ok") return code;
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/** Lets running requests finish within the rest of the kill timeout, which started at `fromMs`. */
async function drainSite(settings: Settings, server: SiteProcess, fromMs: number): Promise<number> {
  await server.drain(
    Math.max(1_000, settings.killTimeoutMs - RESERVE_MS - (performance.now() - fromMs)),
  );
  logEvent("info", "launcher.stopped", { ms: Math.round(performance.now() - fromMs) });
  return 0;
}

const waitForAbort = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );

/**
 * Exits if the parent process was killed: without LiteFS, the mount hangs or fails, and the next
 * supervisor needs the port.
 */
function exitWithParent(
  { isReplicated }: Settings,
  supervisorPid: string | undefined,
  kill: () => void,
): void {
  const parent = process.ppid;
  // If the parent was killed before this line, `parent` is the process that replaced it.
  const supervisor = isReplicated ? findParentPid(parent) : String(parent);
  const isReplaced = supervisorPid !== undefined && supervisor !== supervisorPid;
  setInterval(() => {
    if (process.ppid === parent && !isReplaced) return;
    logEvent("error", "launcher.parent_gone");
    kill();
    process.exit(1);
  }, POLL_INTERVAL_MS).unref();
}

/** Returns the PID of the parent of a process (proc_pid_status(5)); undefined if it has exited. */
function findParentPid(pid: number): string | undefined {
  try {
    return /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
