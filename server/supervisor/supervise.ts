// The life of a node: LiteFS is started, watched, and started anew when that can help.

import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
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
import { requestInternal } from "#lib/core/internal-request.ts";
import { type Consul, connectConsul } from "#server/consul.ts";
import { listPeers, peerLitefsUrl } from "#lib/replication/peers.ts";
import { fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { type LitefsExit, runLitefs } from "./run-litefs.ts";
import { runLauncher } from "./run-launcher.ts";
import { unmount } from "./mount.ts";
import { logEvent } from "#server/log-event.ts";
import { type Settings, appUserIds, toEnvironment } from "#server/settings.ts";
import { pruneQuarantine, quarantineStore, readStore } from "./litefs-store.ts";

/** Starts that failed one after the other, before whoever started us is to decide. */
const MAX_FAILURES = 8;
const MAX_BACKOFF_MS = 30_000;
/** A LiteFS that ran this long was well: its end begins a new count. */
const HEALTHY_MS = 300_000;
/** A founder that was silent for this long gives way to the next. It needs about a second. */
const BOOTSTRAP_CLAIM_TTL_MS = 30_000;
const RETRY_INTERVAL_MS = 1_000;

/** Runs this node until a signal ends it. Returns the exit code: 0 after a signal, else that of what failed for good. */
export async function supervise(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  prepareFolders(settings);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort(signal));
  const env = {
    ...environment,
    ...toEnvironment(settings),
    PATH: `${dirname(process.execPath)}${delimiter}${environment.PATH ?? ""}`,
  };

  if (!settings.isReplicated) {
    const store = readStore(settings.storeDir, basename(settings.databaseFile));
    if (store.hasData && !existsSync(settings.databaseFile)) {
      throw new Error(
        `REPLICATION=off, but the data of this node is in LiteFS' store (${settings.storeDir}) and ${settings.databaseFile} is not there: docs/runbooks/join-and-leave-replication.md says how to take it along.`,
      );
    }
    return runLauncher(settings, env, stop.signal);
  }

  const consul = connectConsul(settings.lease.consulUrl, settings.lease.key);
  let before = { wasCaughtUp: false, wasPatient: false };
  let failures = 0;
  while (!stop.signal.aborted) {
    if (unmount(settings.mountDir)) logEvent("warn", "boot.unmounted", { dir: settings.mountDir });
    await releaseOwnStaleLease(settings, consul);
    const decision = await chooseRole(settings, consul, before, stop.signal);
    if (!decision) break;
    logEvent("info", "boot.start", {
      candidate: decision.candidate,
      catching_up: decision.isCatchingUp,
      why: decision.why,
    });
    const startedMs = performance.now();
    const ended = await runLitefs(
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
      return ended.code;
    }
    // What the launcher saw holds for the next decision, and for that one only.
    before = {
      wasCaughtUp: ended.code === EXIT_CAUGHT_UP,
      wasPatient: ended.code === EXIT_REEVALUATE && decision.patienceMs === ADVANCED_NODE_WAIT_MS,
    };
    if (ended.code === EXIT_CAUGHT_UP || ended.code === EXIT_REEVALUATE) continue;
    if (performance.now() - startedMs > HEALTHY_MS) failures = 0;
    failures += 1;
    logEvent("error", "boot.litefs_ended", { code: ended.code, reason: ended.reason, failures });
    // No restart makes room, and no person need start the node when there is some again.
    if (ended.reason === "full") {
      failures = Math.min(failures, MAX_FAILURES - 1);
      logEvent("error", "boot.disk_full", {
        line: ended.line,
        deleted: pruneQuarantine(settings.storeDir, 0),
      });
    }
    if (ended.reason === "corrupt" && !(await quarantineCorruptStore(settings, consul, ended)))
      return 1;
    if (failures >= MAX_FAILURES) return ended.code || 1;
    await sleep(Math.min(2 ** (failures - 1) * 1_000, MAX_BACKOFF_MS), undefined, {
      signal: stop.signal,
    }).catch(() => undefined);
  }
  return 0;
}

/** Makes the folders; what is this node's alone belongs to the site's user. */
function prepareFolders(settings: Settings): void {
  const { mountDir, storeDir, dataDir } = settings;
  if (settings.isReplicated) {
    unmount(mountDir);
    for (const dir of [mountDir, dirname(storeDir)]) mkdirSync(dir, { recursive: true });
  }
  mkdirSync(dataDir, { recursive: true });
  const { uid, gid } = appUserIds(settings);
  if (uid === undefined || gid === undefined) return;
  chownSync(dataDir, uid, gid);
  for (const name of readdirSync(dataDir))
    if (!join(dataDir, name).startsWith(storeDir) && join(dataDir, name) !== mountDir)
      chownSync(join(dataDir, name), uid, gid);
}

/** A lease that this node had when its LiteFS died would keep everybody waiting until it ends by itself, up to twice its TTL (Consul's way of counting). */
async function releaseOwnStaleLease({ instance, litefs }: Settings, consul: Consul): Promise<void> {
  const lease = await consul.findLease().catch(() => null);
  if (lease?.hostname !== instance || !lease.session) return;
  const lives = await requestInternal(`${litefs.url}/info`, { timeoutMs: 500 }).then(
    () => true,
    () => false,
  );
  if (lives)
    throw new Error(
      `Something answers at ${litefs.url} as the primary ${instance} already: two nodes have the same name or port.`,
    );
  await consul
    .destroySession(lease.session)
    .catch((error: unknown) => logEvent("warn", "boot.lease_kept", { error }));
  logEvent("warn", "boot.lease_freed", { session: lease.session });
}

/** What to start as; null when a signal came first. Throws when a person must look. */
async function chooseRole(
  settings: Settings,
  consul: Consul,
  before: { wasCaughtUp: boolean; wasPatient: boolean },
  signal: AbortSignal,
): Promise<Extract<Decision, { is: "start" }> | null> {
  let said = "";
  while (!signal.aborted) {
    const answer = await Promise.all([
      consul.findClusterId(),
      consul.hasData(),
      consul.findLease(),
      consul.findHeartbeat(),
    ]).catch(() => null);
    const decision = decideCandidacy({
      instance: settings.instance,
      isInPrimaryRegion: settings.region !== null && settings.region === settings.primaryRegion,
      store: readStore(settings.storeDir, basename(settings.databaseFile)),
      ...before,
      consul: answer && {
        clusterId: answer[0],
        hasData: answer[1],
        primary: answer[2]?.hostname ?? null,
        beat: answer[3],
      },
    });
    if (decision.is === "start") return decision;
    if (decision.is === "refuse") throw new Error(decision.why);
    const holder = decision.is === "found" ? await findNodeWithData(settings) : null;
    if (
      decision.is === "found" &&
      !holder &&
      (await consul.claimBootstrap(settings.instance, BOOTSTRAP_CLAIM_TTL_MS).catch(() => false))
    ) {
      return {
        is: "start",
        candidate: true,
        isCatchingUp: false,
        patienceMs: LEASE_VACANT_MS,
        why: "no cluster yet: this node makes it",
      };
    }
    const why =
      decision.is === "wait"
        ? decision.why
        : holder
          ? `${holder} has data, though Consul knows of none: waiting for it to be the primary`
          : "another node makes the cluster";
    if (why !== said) logEvent("info", "boot.waits", { why });
    said = why;
    await sleep(RETRY_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/** A node in the primary region that has the database: a Consul that lost everything does not make the cluster empty. */
async function findNodeWithData({ databaseFile, primaryRegion }: Settings): Promise<string | null> {
  const peers = (await listPeers().catch(() => [])).filter(
    ({ region }) => region === primaryRegion,
  );
  const found = await Promise.all(
    peers.map(async (peer) =>
      (
        await fetchLitefsNodeState(peerLitefsUrl(peer), basename(databaseFile), 1_000).catch(
          () => null,
        )
      )?.position
        ? peer.instance
        : null,
    ),
  );
  return found.find((name) => name !== null) ?? null;
}

/**
 * Puts a corrupt store aside, so that LiteFS takes a fresh snapshot. Only where another node has the data: false, with
 * nothing touched, when nobody is known to be the primary, or this node is.
 */
async function quarantineCorruptStore(
  settings: Settings,
  consul: Consul,
  { line }: LitefsExit,
): Promise<boolean> {
  const primary = await consul.findLease().catch(() => null);
  if (!primary || primary.hostname === settings.instance) {
    const why = primary
      ? "this node is the primary: nobody else is known to have its data"
      : "nobody is known to be the primary";
    logEvent("error", "boot.store_corrupt", {
      line,
      why,
      do: `nothing was touched. When another node is the primary, start this one again; if there is none, restore a backup (docs/runbooks/restore.md).`,
    });
    return false;
  }
  const aside = quarantineStore(settings.storeDir, new Date());
  logEvent("error", "boot.store_put_aside", {
    line,
    aside,
    why: `the store is corrupt; a fresh snapshot comes from ${primary.hostname}`,
  });
  return true;
}
