// Supervises LiteFS: starts it, watches it, and restarts it with backoff.

import { chownSync, existsSync, readdirSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  EXIT_CAUGHT_UP,
  EXIT_REEVALUATE,
  LEASE_VACANT_MS,
  ADVANCED_NODE_WAIT_MS,
  type Decision,
  decideCandidacy,
} from "./candidacy.ts";
import { createFolder } from "#lib/core/create-folder.ts";
import { requestInternal } from "#lib/core/internal-request.ts";
import { type Consul, connectConsul } from "#server/consul.ts";
import { listPeers, peerLitefsUrl } from "#lib/replication/peers.ts";
import { type LitefsNodeState, fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { type LitefsExit, runLitefs } from "./run-litefs.ts";
import { runLauncher } from "./run-launcher.ts";
import { startConsulProxy } from "./consul-proxy.ts";
import { unmount } from "./mount.ts";
import { logEvent } from "#server/log-event.ts";
import { type Settings, appUserIds, toEnvironment } from "#server/settings.ts";
import { hasTransaction, pruneQuarantine, quarantineStore, readStore } from "./litefs-store.ts";

/** Consecutive failures before this process exits. */
const MAX_FAILURES = 8;
const MAX_BACKOFF_MS = 30_000;
/** The failure count is reset if LiteFS ran this long. */
const HEALTHY_MS = 300_000;
/** Far longer than a bootstrap, which takes about a second. */
const BOOTSTRAP_CLAIM_TTL_MS = 30_000;
const RETRY_INTERVAL_MS = 1_000;

/** Runs this node until a signal or too many failures. Returns the exit code. */
export async function supervise(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  prepareFolders(settings);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort(signal));

  if (!settings.isReplicated) {
    const store = readStore(settings.storeDir, basename(settings.databaseFile));
    if (store.hasData && !existsSync(settings.databaseFile)) {
      throw new Error(
        `REPLICATION=off, but this node's data is in LiteFS's store (${settings.storeDir}) and ${settings.databaseFile} does not exist. See docs/runbooks/join-and-leave-replication.md.`,
      );
    }
    return runLauncher(settings, makeEnvironment(settings, environment), stop.signal);
  }
  const { lease } = settings;
  const proxy = await startConsulProxy(settings);
  try {
    return await superviseLitefs(
      { ...settings, lease: { ...lease, consulUrl: proxy.url } },
      environment,
      stop,
    );
  } finally {
    await proxy.close();
  }
}

const makeEnvironment = (settings: Settings, environment: NodeJS.ProcessEnv) => ({
  ...environment,
  ...toEnvironment(settings),
  /** The launcher is this process's child, or its grandchild with LiteFS in between. */
  SUPERVISOR_PID: String(process.pid),
  PATH: `${dirname(process.execPath)}${delimiter}${environment.PATH ?? ""}`,
});

async function superviseLitefs(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
  stop: AbortController,
): Promise<number> {
  const env = makeEnvironment(settings, environment);
  const consul = connectConsul(settings.lease.consulUrl, settings.lease.key);
  let lastRun = { wasCaughtUp: false, hasWaited: false };
  let failures = 0;
  while (!stop.signal.aborted) {
    if (unmount(settings.mountDir))
      logEvent("warn", "supervisor.unmounted", { dir: settings.mountDir });
    await releaseOwnStaleLease(settings, consul);
    const decision = await chooseRole(settings, consul, lastRun, stop.signal);
    if (!decision) break;
    logEvent("info", "supervisor.start", {
      candidate: decision.candidate,
      catching_up: decision.isCatchingUp,
      reason: decision.reason,
    });
    const startedMs = performance.now();
    const exit = await runLitefs(
      settings,
      {
        ...env,
        LITEFS_CANDIDATE: String(decision.candidate),
        LITEFS_CATCHING_UP: String(decision.isCatchingUp),
        LITEFS_PATIENCE_MS: String(decision.patienceMs),
      },
      stop.signal,
    );
    if (stop.signal.aborted) {
      unmount(settings.mountDir);
      return exit.code;
    }
    // Valid only for the next decision.
    lastRun = {
      wasCaughtUp: exit.code === EXIT_CAUGHT_UP,
      hasWaited: exit.code === EXIT_REEVALUATE && decision.patienceMs === ADVANCED_NODE_WAIT_MS,
    };
    if (exit.code === EXIT_CAUGHT_UP || exit.code === EXIT_REEVALUATE) continue;
    if (performance.now() - startedMs > HEALTHY_MS) failures = 0;
    failures += 1;
    logEvent("error", "supervisor.litefs_ended", {
      code: exit.code,
      reason: exit.reason,
      failures,
    });
    // On a full disk, retry forever, so that the node recovers once there is space.
    if (exit.reason === "full") {
      failures = Math.min(failures, MAX_FAILURES - 1);
      logEvent("error", "supervisor.disk_full", {
        line: exit.line,
        deleted: pruneQuarantine(settings.storeDir, 0),
      });
    }
    if (exit.reason === "corrupt" && !(await quarantineCorruptStore(settings, consul, exit)))
      return 1;
    if (failures >= MAX_FAILURES) return exit.code || 1;
    await sleep(Math.min(2 ** (failures - 1) * 1_000, MAX_BACKOFF_MS), undefined, {
      signal: stop.signal,
    }).catch(() => undefined);
  }
  return 0;
}

/** Creates the folders, and makes the site's user the owner of the data folder. */
function prepareFolders(settings: Settings): void {
  const { mountDir, storeDir, dataDir } = settings;
  if (settings.isReplicated) {
    unmount(mountDir);
    for (const dir of [mountDir, dirname(storeDir)]) createFolder(dir);
  }
  createFolder(dataDir);
  const { uid, gid } = appUserIds(settings);
  if (uid === undefined || gid === undefined) return;
  chownSync(dataDir, uid, gid);
  for (const name of readdirSync(dataDir))
    if (!join(dataDir, name).startsWith(storeDir) && join(dataDir, name) !== mountDir)
      chownSync(join(dataDir, name), uid, gid);
}

/**
 * Releases the lease of this node's dead LiteFS, which would block a leader election for up to
 * twice its TTL.
 */
async function releaseOwnStaleLease({ instance, litefs }: Settings, consul: Consul): Promise<void> {
  const lease = await consul.findLease().catch(() => null);
  if (lease?.hostname !== instance || !lease.session) return;
  const isAlive = await requestInternal(`${litefs.url}/info`, { timeoutMs: 500 }).then(
    () => true,
    () => false,
  );
  if (isAlive)
    throw new Error(
      `Another process already responds at ${litefs.url} as the primary ${instance}. Two nodes have the same name or port.`,
    );
  const { session } = lease;
  await consul.destroySession(session).then(
    () => logEvent("warn", "supervisor.lease_freed", { session }),
    (error: unknown) => logEvent("warn", "supervisor.lease_kept", { error }),
  );
}

/** Returns the decision to start; null after a signal. Throws if an operator must decide. */
async function chooseRole(
  settings: Settings,
  consul: Consul,
  lastRun: { wasCaughtUp: boolean; hasWaited: boolean },
  signal: AbortSignal,
): Promise<Extract<Decision, { kind: "start" }> | null> {
  const name = basename(settings.databaseFile);
  let lastReason = "";
  while (!signal.aborted) {
    const state = await Promise.all([
      consul.findClusterId(),
      consul.hasData(),
      consul.findLease(),
      consul.findHeartbeat(),
    ]).catch(() => null);
    const store = readStore(settings.storeDir, name);
    const needed = state?.[3]?.needed;
    const decision = decideCandidacy({
      instance: settings.instance,
      isInPrimaryRegion: settings.region !== null && settings.region === settings.primaryRegion,
      store,
      hasNeeded: !needed || hasTransaction(settings.storeDir, name, store.txid, needed),
      ...lastRun,
      unknownPrimary: state?.[2] ? null : await findPeer(settings, ({ isPrimary }) => isPrimary),
      consul: state && {
        clusterId: state[0],
        hasData: state[1],
        primary: state[2]?.hostname ?? null,
        heartbeat: state[3],
      },
    });
    if (decision.kind === "start") return decision;
    if (decision.kind === "refuse") throw new Error(decision.reason);
    const nodeWithData =
      decision.kind === "bootstrap"
        ? // Consul may have lost its data.
          await findPeer(settings, ({ position }) => position !== null)
        : null;
    if (
      decision.kind === "bootstrap" &&
      !nodeWithData &&
      (await consul.claimBootstrap(settings.instance, BOOTSTRAP_CLAIM_TTL_MS).catch(() => false))
    ) {
      return {
        kind: "start",
        candidate: true,
        isCatchingUp: false,
        patienceMs: LEASE_VACANT_MS,
        reason: "there is no cluster yet, so this node bootstraps it",
      };
    }
    const reason =
      decision.kind === "wait"
        ? decision.reason
        : nodeWithData
          ? `${nodeWithData} has data that Consul doesn't know about; waiting for it to become the primary`
          : "another node is bootstrapping the cluster";
    if (reason !== lastReason) logEvent("info", "supervisor.waits", { reason });
    lastReason = reason;
    await sleep(RETRY_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/** Returns a node in the primary region whose LiteFS is in such a state; null without one. */
async function findPeer(
  { databaseFile, primaryRegion }: Settings,
  matches: (state: LitefsNodeState) => boolean,
): Promise<string | null> {
  const peers = (await listPeers().catch(() => [])).filter(
    ({ region }) => region === primaryRegion,
  );
  const names = await Promise.all(
    peers.map(async (peer) => {
      const state = await fetchLitefsNodeState(peerLitefsUrl(peer), basename(databaseFile), {
        timeoutMs: 1_000,
      }).catch(() => null);
      return state && matches(state) ? peer.instance : null;
    }),
  );
  return names.find((name) => name !== null) ?? null;
}

/**
 * Quarantines a corrupt store if another node is the primary, so that LiteFS fetches a fresh
 * snapshot. Returns whether to restart LiteFS: also true if Consul does not respond, so that the
 * next failure asks again.
 */
async function quarantineCorruptStore(
  settings: Settings,
  consul: Consul,
  { line }: LitefsExit,
): Promise<boolean> {
  const primary = await consul.findLease().catch(() => undefined);
  if (primary === undefined) return true;
  if (!primary || primary.hostname === settings.instance) {
    const reason = primary
      ? "this node is the primary, and no other node is known to have its data"
      : "no primary is known";
    logEvent("error", "supervisor.store_corrupt", {
      line,
      reason,
      do: "Nothing was changed. Restart this node once another node is the primary, or restore a backup (docs/runbooks/restore.md).",
    });
    return false;
  }
  const quarantined = quarantineStore(settings.storeDir, new Date());
  logEvent("error", "supervisor.store_quarantined", {
    line,
    quarantined,
    reason: `the store is corrupt; ${primary.hostname} has a fresh snapshot`,
  });
  return true;
}
