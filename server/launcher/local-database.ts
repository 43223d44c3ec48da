// Prepares and watches this node's copy of the database by role: creates it, migrates it, or lets
// it catch up.

import { chownSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requestInternal } from "#lib/core/internal-request.ts";
import { EXIT_CAUGHT_UP, EXIT_REEVALUATE } from "#server/supervisor/candidacy.ts";
import { hasTransaction } from "#server/supervisor/litefs-store.ts";
import { runMigrations } from "./run-migrations.ts";
import type { Consul } from "#server/consul.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import { importDatabase } from "#lib/replication/import-database.ts";
import { monotonicMs } from "#lib/replication/lease.ts";
import {
  type LitefsNodeState,
  type Position,
  fetchLitefsNodeState,
} from "#lib/replication/litefs-node-state.ts";
import { logEvent } from "#server/log-event.ts";
import { type Settings, appUserIds } from "#server/settings.ts";

const POLL_INTERVAL_MS = 200;
const LOG_INTERVAL_MS = 5_000;
/** How long a node with data waits to catch up before it serves possibly stale reads. */
const CATCH_UP_TIMEOUT_MS = 10_000;
/** The same while Consul is unreachable: LiteFS can't find the primary, so waiting brings no data. */
const NO_CONSUL_TIMEOUT_MS = 3_000;
const IMPORT_TIMEOUT_MS = 300_000;

export type RestartCode = typeof EXIT_CAUGHT_UP | typeof EXIT_REEVALUATE;

export interface LocalDatabase {
  /**
   * Resolves to "ready" when the site can serve, or to the exit code that makes the supervisor
   * decide again. Throws if the site can never serve.
   */
  prepareDatabase(signal: AbortSignal): Promise<"ready" | RestartCode>;
  /** Called on every poll while the site runs. Migrates after a promotion. */
  checkRole(): Promise<"ok" | RestartCode>;
  /** See LeaseWatch. */
  confirmPosition(position: Position): Promise<boolean>;
}

/** `onLease` is called with the time until which this node holds the lease, by monotonicMs(). */
export function openLocalDatabase(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  consul: Consul,
  onLease: (validUntilMs: number) => void,
): LocalDatabase {
  const { databaseFile, litefs } = settings;
  const name = basename(databaseFile);
  const isCatchingUp = env.LITEFS_CATCHING_UP === "true";
  const patienceMs = Number(env.LITEFS_PATIENCE_MS ?? 3_000);
  const lease = createLeaseWatch(settings, consul, onLease);
  const isCandidate = env.LITEFS_CANDIDATE === "true";
  /** When the lease became free; null while it is held. */
  let leaseFreeSinceMs: number | null = null;
  /** Both flags are reset when this node stops being the primary. */
  let migratedAsPrimary = false;
  let isLossReported = false;
  /** Infinity while migrations run. */
  let migrateAgainMs = 0;
  /** Keeps one connection, because polls are frequent. The launcher exits with its LiteFS. */
  const agent = new Agent({ keepAlive: true });

  /**
   * Compares this copy with the primary's. Returns "no_primary" if the lease has been free for
   * `patienceMs`.
   */
  async function readProgress(
    local: LitefsNodeState,
  ): Promise<"behind" | "caught_up" | "no_primary" | "no_consul" | "unknown"> {
    const heldLease = await consul.findLease().catch(() => undefined);
    if (heldLease === undefined) return "no_consul";
    if (heldLease === null || heldLease.hostname === settings.instance) {
      leaseFreeSinceMs ??= performance.now();
      return performance.now() - leaseFreeSinceMs > patienceMs ? "no_primary" : "unknown";
    }
    leaseFreeSinceMs = null;
    const primary = await fetchLitefsNodeState(heldLease.advertiseUrl, name).catch(() => null);
    if (!primary?.isPrimary) return "unknown";
    if (!primary.position) return "caught_up";
    // Read our position again, because under steady writes the earlier reading is always slightly
    // behind.
    const txid =
      local.position && local.position.txid >= primary.position.txid
        ? local.position.txid
        : ((await fetchLitefsNodeState(litefs.url, name).catch(() => null))?.position?.txid ?? 0);
    return hasTransaction(settings.storeDir, name, txid, primary.position) ? "caught_up" : "behind";
  }

  function restartFor(
    local: LitefsNodeState,
    state: Awaited<ReturnType<typeof readProgress>>,
  ): RestartCode | null {
    if (!isCatchingUp || !local.position) return null;
    return state === "caught_up" ? EXIT_CAUGHT_UP : state === "no_primary" ? EXIT_REEVALUATE : null;
  }

  /** After a promotion, logs how many of the former primary's transactions are lost. */
  async function reportLoss(local: LitefsNodeState): Promise<void> {
    const heartbeat = await consul.findHeartbeat().catch(() => undefined);
    if (heartbeat === undefined) return;
    isLossReported = true;
    if (!heartbeat || heartbeat.instance === settings.instance) return;
    const lost = Math.max(0, heartbeat.txid - (local.position?.txid ?? 0));
    logEvent(lost > 0 ? "error" : "info", "launcher.promoted", {
      after: heartbeat.instance,
      txid: local.position?.txid ?? 0,
      lost,
    });
  }

  async function migrateAsPrimary(local: LitefsNodeState): Promise<void> {
    if (!local.position) await createDatabase();
    // If this launcher ended between the import and the mark, another node could import again.
    else if (!(await consul.hasData().catch(() => true)))
      await consul.markBootstrapped(settings.instance);
    const applied = await runMigrations(settings, env, databaseFile);
    if (applied.length > 0) logEvent("info", "launcher.migrated", { applied });
    migratedAsPrimary = true;
  }

  /**
   * Imports the cluster's first database in one transaction: this node's plain file, or a new one
   * created outside the mount.
   */
  async function createDatabase(): Promise<void> {
    const plain = join(settings.dataDir, name);
    const folder = join(settings.dataDir, "new");
    const source = existsSync(plain) ? plain : join(folder, name);
    if (source !== plain) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      const { uid, gid } = appUserIds(settings);
      if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    }
    // This also checkpoints the WAL into the file, because LiteFS's import reads only that file.
    await runMigrations(settings, env, source, "new");
    await importDatabase({ url: litefs.url, name, file: source, timeoutMs: IMPORT_TIMEOUT_MS });
    logEvent("info", "launcher.database_made", { from: source });
    // Before the mark, because the next launcher repeats only the mark.
    if (source === plain) renameSync(plain, `${plain}.imported`);
    rmSync(folder, { recursive: true, force: true });
    await consul.markBootstrapped(settings.instance);
  }

  async function prepareDatabase(signal: AbortSignal): Promise<"ready" | RestartCode> {
    const fromMs = performance.now();
    let lastLogMs = fromMs;
    while (!signal.aborted) {
      const local = await fetchLitefsNodeState(litefs.url, name).catch(() => null);
      let reason = "LiteFS does not respond";
      if (local?.isPrimary) {
        await reportLoss(local);
        await migrateAsPrimary(local);
        return "ready";
      }
      if (local) {
        const state = await readProgress(local);
        const code = restartFor(local, state);
        if (code) return code;
        const waitedMs = performance.now() - fromMs;
        reason = local.position
          ? `this copy is ${state === "behind" ? "behind" : "possibly behind"} the primary's`
          : "no data here yet";
        const timeoutMs = state === "no_consul" ? NO_CONSUL_TIMEOUT_MS : CATCH_UP_TIMEOUT_MS;
        if (local.position && (state === "caught_up" || waitedMs > timeoutMs)) {
          const pending = await runMigrations(settings, env, databaseFile, "pending", 30_000);
          if (pending.length === 0) return "ready";
          reason = `waiting for the primary to apply migrations: ${pending.join(", ")}`;
          if (isCandidate && state === "caught_up") {
            logEvent("info", "launcher.asks_for_lease", { pending });
            const response = await requestInternal(`${litefs.url}/promote`, {
              method: "POST",
              timeoutMs: 10_000,
            }).catch((error: Error) => ({ status: 0, body: error.message }));
            if (response.status === 200) continue;
            reason = `the lease was not handed over: ${response.body.trim()}`;
          }
          if (waitedMs > settings.migrationsTimeoutMs) throw new Error(reason);
        }
      }
      if (performance.now() - lastLogMs > LOG_INTERVAL_MS) {
        lastLogMs = performance.now();
        logEvent("warn", "launcher.waits", {
          reason,
          seconds: Math.round((lastLogMs - fromMs) / 1_000),
        });
      }
      await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
    return "ready";
  }

  async function checkRole(): Promise<"ok" | RestartCode> {
    const polledMs = monotonicMs();
    const local = await fetchLitefsNodeState(litefs.url, name, { agent }).catch(() => null);
    if (!local) return "ok";
    if (local.isPrimary) {
      await lease.tickAsPrimary(local, isLossReported ? Promise.resolve() : reportLoss(local));
      if (!migratedAsPrimary && performance.now() >= migrateAgainMs) {
        migrateAgainMs = Infinity;
        // Not awaited, because the lease depends on the next polls.
        void migrateAsPrimary(local)
          .catch((error: unknown) =>
            logEvent("error", "launcher.migrations_failed", {
              error,
              again_in_ms: LOG_INTERVAL_MS,
            }),
          )
          .finally(() => (migrateAgainMs = performance.now() + LOG_INTERVAL_MS));
      }
      return "ok";
    }
    migratedAsPrimary = isLossReported = false;
    if (isCandidate && (await lease.tickAsStandby(local, polledMs)) === "behind")
      return EXIT_REEVALUATE;
    return isCatchingUp ? (restartFor(local, await readProgress(local)) ?? "ok") : "ok";
  }

  return { prepareDatabase, checkRole, confirmPosition: lease.confirmPosition };
}
