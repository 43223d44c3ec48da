// What the launcher does with this node's copy of the database, by the role that LiteFS gives it.

import { chownSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requestInternal } from "#lib/core/internal-request.ts";
import { EXIT_CAUGHT_UP, EXIT_REEVALUATE } from "#server/supervisor/candidacy.ts";
import { runMigrations } from "./run-migrations.ts";
import type { Consul } from "#server/consul.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import { importDatabase } from "#lib/replication/import-database.ts";
import { type LitefsNodeState, fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { logEvent } from "#server/log-event.ts";
import { type Settings, appUserIds } from "#server/settings.ts";

const POLL_INTERVAL_MS = 200;
const LOG_INTERVAL_MS = 10_000;
/** How long a node with data waits for the primary's before it answers readers with what it has. */
const CATCH_UP_TIMEOUT_MS = 10_000;
const IMPORT_TIMEOUT_MS = 300_000;

export type RestartCode = typeof EXIT_CAUGHT_UP | typeof EXIT_REEVALUATE;

export interface LocalDatabase {
  /** Resolves when the site can serve: "ready"; or the exit code with which boot is to decide anew who may be the primary. Throws when it never can. */
  prepareDatabase(signal: AbortSignal): Promise<"ready" | RestartCode>;
  /** One look while the site runs: applies what is missing after a promotion. */
  checkRole(): Promise<"on" | RestartCode>;
}

export function openLocalDatabase(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  consul: Consul,
): LocalDatabase {
  const { databaseFile, litefs } = settings;
  const name = basename(databaseFile);
  const isCatchingUp = env.LITEFS_CATCHING_UP === "true";
  const patienceMs = Number(env.LITEFS_PATIENCE_MS ?? 3_000);
  const lease = createLeaseWatch(settings, consul);
  const isCandidate = env.LITEFS_CANDIDATE === "true";
  /** Since when nobody has the lease. */
  let nobodySinceMs: number | null = null;
  /** Of this role since it began: what was looked at once need not be again. */
  let migratedAsPrimary = false;
  let isLossReported = false;
  let migrateAgainMs = 0;

  /** Whether this copy is where the primary's was a moment ago; "nobody" when the lease has been free for a while; "unknown" while neither can be said. */
  async function progress(
    own: LitefsNodeState,
  ): Promise<"behind" | "level" | "nobody" | "unknown"> {
    const held = await consul.findLease().catch(() => undefined);
    if (held === undefined) return "unknown";
    if (held === null || held.hostname === settings.instance) {
      nobodySinceMs ??= performance.now();
      return performance.now() - nobodySinceMs > patienceMs ? "nobody" : "unknown";
    }
    nobodySinceMs = null;
    const other = await fetchLitefsNodeState(held.advertiseUrl, name).catch(() => null);
    if (!other?.isPrimary) return "unknown";
    if (!other.position) return "level";
    // Looked at again: under steady writes what was read before the primary's is always a little less.
    const txid =
      own.position && own.position.txid >= other.position.txid
        ? own.position.txid
        : ((await fetchLitefsNodeState(litefs.url, name).catch(() => null))?.position?.txid ?? 0);
    return txid >= other.position.txid ? "level" : "behind";
  }

  function restartFor(
    own: LitefsNodeState,
    state: Awaited<ReturnType<typeof progress>>,
  ): RestartCode | null {
    if (!isCatchingUp || !own.position) return null;
    return state === "level" ? EXIT_CAUGHT_UP : state === "nobody" ? EXIT_REEVALUATE : null;
  }

  /** After a promotion: what the primary before is known to have had, and this node has not. */
  async function reportLoss(own: LitefsNodeState): Promise<void> {
    const beat = await consul.findHeartbeat().catch(() => undefined);
    if (beat === undefined) return;
    isLossReported = true;
    if (!beat || beat.instance === settings.instance) return;
    const lost = Math.max(0, beat.txid - (own.position?.txid ?? 0));
    logEvent(lost > 0 ? "error" : "info", "launch.promoted", {
      after: beat.instance,
      txid: own.position?.txid ?? 0,
      lost,
    });
  }

  /** Everything that the primary must do before it serves. */
  async function migrateAsPrimary(own: LitefsNodeState): Promise<void> {
    if (!own.position) await makeDatabase();
    const applied = await runMigrations(settings, env, databaseFile);
    if (applied.length > 0) logEvent("info", "launch.migrated", { applied });
    migratedAsPrimary = true;
  }

  /**
   * The first database of a cluster: the plain file of this node from before there was a cluster, else a new one. Made beside
   * the mount, where it is faster, and imported as one transaction.
   */
  async function makeDatabase(): Promise<void> {
    const plain = join(settings.dataDir, name);
    const folder = join(settings.dataDir, "new");
    const source = existsSync(plain) ? plain : join(folder, name);
    if (source !== plain) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      const { uid, gid } = appUserIds(settings);
      if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    }
    // Opening and closing it also puts what is in its WAL into the file: LiteFS' import reads nothing else (trap 16).
    await runMigrations(settings, env, source, "new");
    await importDatabase({ url: litefs.url, name, file: source, timeoutMs: IMPORT_TIMEOUT_MS });
    await consul.markBootstrapped(settings.instance);
    logEvent("info", "launch.database_made", { from: source });
    if (source === plain) renameSync(plain, `${plain}.imported`);
    rmSync(folder, { recursive: true, force: true });
  }

  async function prepare(signal: AbortSignal): Promise<"ready" | RestartCode> {
    const fromMs = performance.now();
    let saidMs = fromMs;
    while (!signal.aborted) {
      const own = await fetchLitefsNodeState(litefs.url, name).catch(() => null);
      let why = "LiteFS does not answer";
      if (own?.isPrimary) {
        await reportLoss(own);
        await migrateAsPrimary(own);
        return "ready";
      }
      if (own) {
        const state = await progress(own);
        const code = restartFor(own, state);
        if (code) return code;
        const waitedMs = performance.now() - fromMs;
        why = own.position
          ? `this copy is ${state === "behind" ? "behind" : "not known to be as far as"} the primary's`
          : "no data here yet";
        if (own.position && (state === "level" || waitedMs > CATCH_UP_TIMEOUT_MS)) {
          const pending = await runMigrations(settings, env, databaseFile, "pending", 30_000);
          if (pending.length === 0) return "ready";
          why = `migrations are missing, and come from the primary: ${pending.join(", ")}`;
          if (isCandidate && state === "level") {
            logEvent("info", "launch.asks_for_lease", { pending });
            const answer = await requestInternal(`${litefs.url}/promote`, {
              method: "POST",
              timeoutMs: 10_000,
            }).catch((error: Error) => ({ status: 0, body: error.message }));
            if (answer.status === 200) continue;
            why = `the lease was not handed over: ${answer.body.trim()}`;
          }
          if (waitedMs > settings.migrationsTimeoutMs) throw new Error(why);
        }
      }
      if (performance.now() - saidMs > LOG_INTERVAL_MS) {
        saidMs = performance.now();
        logEvent("warn", "launch.waits", { why, seconds: Math.round((saidMs - fromMs) / 1_000) });
      }
      await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
    return "ready";
  }

  async function look(): Promise<"on" | RestartCode> {
    const own = await fetchLitefsNodeState(litefs.url, name).catch(() => null);
    if (!own) return "on";
    if (own.isPrimary) {
      // First: from here on the signs of life are this node's.
      if (!isLossReported) await reportLoss(own);
      await lease.tickAsPrimary(own);
      if (!migratedAsPrimary && performance.now() >= migrateAgainMs) {
        await migrateAsPrimary(own).catch((error: unknown) =>
          logEvent("error", "launch.migrations_failed", { error, again_in_ms: LOG_INTERVAL_MS }),
        );
        migrateAgainMs = performance.now() + LOG_INTERVAL_MS;
      }
      return "on";
    }
    migratedAsPrimary = isLossReported = false;
    if (isCandidate && (await lease.tickAsStandby(own)) === "behind") return EXIT_REEVALUATE;
    return isCatchingUp ? (restartFor(own, await progress(own)) ?? "on") : "on";
  }

  return { prepareDatabase: prepare, checkRole: look };
}
