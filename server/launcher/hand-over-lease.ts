// A planned end of the primary: the lease goes to the standby, with every transaction, before the site ends.

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
/** For this node to notice that it gave the lease away: milliseconds, where the machine is not busy. */
const STEP_DOWN_TIMEOUT_MS = 5_000;
/** For finding the standby, while everybody still writes: a busy machine must not pass for one that is not there. */
const FIND_STANDBY_TIMEOUT_MS = 3_000;

/**
 * Hands the lease to a connected candidate that has every transaction, within `timeoutMs` once it has found one. Does nothing on a node that is not
 * the primary, or when there is no such candidate: LiteFS then gives the lease back at its end.
 * Nothing can be committed between the last look and the hand-over: LiteFS' own halt lock is held meanwhile, which makes
 * writers wait as for any other writer; they fail as on a replica afterwards. Returns the new primary's name, or null.
 */
export async function handOverLease(settings: Settings, timeoutMs: number): Promise<string | null> {
  const fromMs = performance.now();
  const name = basename(settings.databaseFile);
  const { url } = settings.litefs;
  const own = await fetchLitefsNodeState(url, name, FIND_STANDBY_TIMEOUT_MS).catch(() => null);
  if (!own?.isPrimary || !own.position) return null;
  const peers = await listPeers().catch(() => []);
  const asked = await Promise.all(
    peers
      .filter(({ region }) => region === settings.primaryRegion)
      .map(async (peer) => ({
        peer,
        state: await fetchLitefsNodeState(peerLitefsUrl(peer), name, FIND_STANDBY_TIMEOUT_MS).catch(
          () => null,
        ),
      })),
  );
  const askedMs = performance.now() - fromMs;
  const standby = asked.find(({ state }) => state?.isCandidate && state.position)?.peer;
  if (!standby) {
    logEvent("warn", "launch.no_standby", { asked: asked.map(({ peer }) => peer.instance) });
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
    if (!isHalted) throw new Error("LiteFS gave no halt lock");
    const haltedMs = performance.now() - fromMs;
    const last = (await fetchLitefsNodeState(url, name, REQUEST_TIMEOUT_MS)).position!;
    for (;;) {
      const { position } = await fetchLitefsNodeState(
        peerLitefsUrl(standby),
        name,
        Math.max(1, leftMs()),
      );
      if (position?.txid === last.txid && position.checksum === last.checksum) break;
      if (leftMs() <= 0)
        throw new Error(
          `${standby.instance} is at transaction ${position?.txid}, not at ${last.txid}`,
        );
      await sleep(POLL_INTERVAL_MS);
    }
    const levelMs = performance.now() - fromMs;
    const answer = await requestInternal(`${peerLitefsUrl(standby)}/promote`, {
      method: "POST",
      timeoutMs: Math.max(1, leftMs()),
    });
    if (answer.status !== 200) throw new Error(answer.body.trim());
    // The lock goes when this node is a replica, not before: LiteFS ends itself when a transaction that began on a primary commits on none.
    const givenMs = performance.now();
    while (
      performance.now() - givenMs < STEP_DOWN_TIMEOUT_MS &&
      (await fetchLitefsNodeState(url, name, REQUEST_TIMEOUT_MS).catch(() => null))?.isPrimary !==
        false
    )
      await sleep(POLL_INTERVAL_MS);
    logEvent("info", "launch.handed_over", {
      to: standby.instance,
      txid: last.txid,
      asked_ms: Math.round(askedMs),
      halted_ms: Math.round(haltedMs),
      level_ms: Math.round(levelMs),
      ms: Math.round(performance.now() - fromMs),
    });
    return standby.instance;
  } catch (error) {
    logEvent("warn", "launch.not_handed_over", { to: standby.instance, error });
    return null;
  } finally {
    if (isHalted)
      await requestInternal(lock, {
        method: "DELETE",
        headers,
        timeoutMs: REQUEST_TIMEOUT_MS,
      }).catch((error: unknown) => logEvent("warn", "launch.halt_not_released", { error }));
  }
}
