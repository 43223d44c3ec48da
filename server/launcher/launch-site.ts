// The life of the site under LiteFS: wait for data, bring it up to date where that is allowed, serve, hand over, drain.

import { connectConsul } from "#server/consul.ts";
import { runMigrations } from "./run-migrations.ts";
import { handOverLease } from "./hand-over-lease.ts";
import { type LocalDatabase, type RestartCode, openLocalDatabase } from "./local-database.ts";
import { logEvent } from "#server/log-event.ts";
import { type SiteProcess, startSiteProcess } from "./site-process.ts";
import type { Settings } from "#server/settings.ts";

const POLL_INTERVAL_MS = 500;
/** What the hand-over may take of the kill timeout. */
const HAND_OVER_TIMEOUT_MS = 2_000;
/** What LiteFS and boot need of it after the site has ended. */
const RESERVE_MS = 4_000;

/** Runs until a signal, until the site fails for good, or until boot is to decide anew (CAUGHT_UP, DECIDE_ANEW). Returns the exit code: 0 after a signal, so that LiteFS gives the lease back. `flags` are what Node is told for the site. */
export async function launchSite(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  flags: readonly string[],
): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort(signal));

  if (!settings.isReplicated) {
    const applied = await runMigrations(settings, env, settings.databaseFile);
    if (applied.length > 0) logEvent("info", "launch.migrated", { applied });
    const server = startSiteProcess(settings, env, flags);
    return Promise.race([
      server.failure,
      waitForAbort(stop.signal).then(() => drainSite(settings, server, performance.now())),
    ]);
  }

  let server: SiteProcess | null = null;
  exitWithParent(() => server?.kill());
  const replica = openLocalDatabase(
    settings,
    env,
    connectConsul(settings.lease.consulUrl, settings.lease.key),
  );
  const ready = await replica.prepareDatabase(stop.signal);
  if (stop.signal.aborted) return 0;
  if (ready !== "ready") return ready;
  server = startSiteProcess(settings, env, flags);

  const stopped = waitForAbort(stop.signal).then(() => "stop" as const);
  const outcome = await Promise.race([server.failure, stopped, watchRole(replica, stop.signal)]);
  const fromMs = performance.now();
  await handOverLease(settings, HAND_OVER_TIMEOUT_MS);
  await drainSite(settings, server, fromMs);
  return outcome === "stop" ? 0 : outcome;
}

/** Looks at the role for as long as the site runs: a promotion may find migrations to apply, and a node that catches up may become a candidate. */
async function watchRole(
  replica: LocalDatabase,
  signal: AbortSignal,
): Promise<RestartCode | "stop"> {
  while (!signal.aborted) {
    const code = await replica.checkRole();
    if (code !== "on") return code;
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
  return "stop";
}

/** Lets the requests that run finish, for what is left of the kill timeout since `fromMs`. */
async function drainSite(settings: Settings, server: SiteProcess, fromMs: number): Promise<number> {
  await server.drain(
    Math.max(1_000, settings.killTimeoutMs - RESERVE_MS - (performance.now() - fromMs)),
  );
  logEvent("info", "launch.stopped", { ms: Math.round(performance.now() - fromMs) });
  return 0;
}

const waitForAbort = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );

/** A LiteFS that was killed leaves us behind on a mount that answers nobody: end with it. */
function exitWithParent(kill: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid === parent) return;
    logEvent("error", "launch.litefs_gone");
    kill();
    process.exit(1);
  }, POLL_INTERVAL_MS).unref();
}
