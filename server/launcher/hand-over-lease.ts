// Hands the lease over to a caught-up standby before the primary shuts down (planned failover).

import { randomBytes, randomInt } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listPeers, peerLitefsUrl } from "#lib/replication/peers.ts";
import { requestInternal } from "#lib/core/internal-request.ts";
import { fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

const POLL_INTERVAL_MS = 10;
const REQUEST_TIMEOUT_MS = 500;
/**
 * Maximum wait until this node notices that it lost the lease. Usually milliseconds, unless the
 * machine is busy.
 */
const STEP_DOWN_TIMEOUT_MS = 5_000;
/**
 * Deadline for finding the standby, while writes continue. Generous, so that a busy standby does
 * not count as absent.
 */
const FIND_STANDBY_TIMEOUT_MS = 3_000;

/**
 * Returns the new primary's name; null on a replica, without a caught-up standby, or after
 * `timeoutMs` (LiteFS then releases the lease when it exits). LiteFS's halt lock blocks writers
 * during the handover; afterwards, writes fail as on a replica.
 */
export async function handOverLease(settings: Settings, timeoutMs: number): Promise<string | null> {
  const fromMs = performance.now();
  const name = basename(settings.databaseFile);
  const { url } = settings.litefs;
  const local = await fetchLitefsNodeState(url, name, { timeoutMs: FIND_STANDBY_TIMEOUT_MS }).catch(
    () => null,
  );
  if (!local?.isPrimary || !local.position) return null;
  const peers = await listPeers().catch(() => []);
  // The nearest candidate responds first. While the primary region is changed, it is in another one.
  const standby = await Promise.any(
    peers.map(async (peer) => {
      const state = await fetchLitefsNodeState(peerLitefsUrl(peer), name, {
        timeoutMs: FIND_STANDBY_TIMEOUT_MS,
      });
      if (!state.isCandidate || !state.position) throw new Error(`${peer.instance} is no standby`);
      return peer;
    }),
  ).catch(() => null);
  const askedMs = performance.now() - fromMs;
  if (!standby) {
    logEvent("warn", "launcher.no_standby", { asked: peers.map(({ instance }) => instance) });
    return null;
  }

  const leftMs = () => timeoutMs - (performance.now() - fromMs - askedMs);
  const lock = `${url}/halt?name=${encodeURIComponent(name)}&id=${randomInt(1, 2 ** 31)}`;
  const headers = { "litefs-id": randomBytes(8).toString("hex").toUpperCase() };
  let isHalted = false;
  try {
    isHalted =
      (await requestInternal(lock, { method: "POST", headers, timeoutMs: leftMs() })).status ===
      200;
    if (!isHalted) throw new Error("LiteFS refused the halt lock");
    const haltedMs = performance.now() - fromMs;
    const last = (await fetchLitefsNodeState(url, name, { timeoutMs: Math.max(1, leftMs()) }))
      .position!;
    for (;;) {
      const { position } = await fetchLitefsNodeState(peerLitefsUrl(standby), name, {
        timeoutMs: Math.max(1, leftMs()),
      });
      if (position?.txid === last.txid && position.checksum === last.checksum) break;
      if (leftMs() <= 0)
        throw new Error(
          `${standby.instance} is at transaction ${position?.txid}, not at ${last.txid}`,
        );
      await sleep(POLL_INTERVAL_MS);
    }
    const caughtUpMs = performance.now() - fromMs;
    const response = await requestInternal(`${peerLitefsUrl(standby)}/promote`, {
      method: "POST",
      timeoutMs: Math.max(1, leftMs()),
    });
    if (response.status !== 200) throw new Error(response.body.trim());
    // Keep the lock until this node is a replica: LiteFS exits if a transaction that started on a
    // primary commits after it lost the lease.
    const promotedMs = performance.now();
    while (
      performance.now() - promotedMs < STEP_DOWN_TIMEOUT_MS &&
      (await fetchLitefsNodeState(url, name, { timeoutMs: REQUEST_TIMEOUT_MS }).catch(() => null))
        ?.isPrimary !== false
    )
      await sleep(POLL_INTERVAL_MS);
    logEvent("info", "launcher.handed_over", {
      to: standby.instance,
      txid: last.txid,
      asked_ms: Math.round(askedMs),
      halted_ms: Math.round(haltedMs),
      caught_up_ms: Math.round(caughtUpMs),
      ms: Math.round(performance.now() - fromMs),
    });
    return standby.instance;
  } catch (error) {
    logEvent("warn", "launcher.not_handed_over", { to: standby.instance, error });
    return null;
  } finally {
    if (isHalted)
      await requestInternal(lock, {
        method: "DELETE",
        headers,
        timeoutMs: REQUEST_TIMEOUT_MS,
      }).catch((error: unknown) => logEvent("warn", "launcher.halt_not_released", { error }));
  }
}
