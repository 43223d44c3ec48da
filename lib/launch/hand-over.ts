// A planned end of the primary: the lease goes to the standby, with every transaction, before the site ends.

import { randomBytes, randomInt } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findPeers, litefsUrl } from "../litefs/peers.ts";
import { call } from "../base/call.ts";
import { nodeState } from "../litefs/node-state.ts";
import { say } from "./say.ts";
import type { Settings } from "./settings.ts";

const LOOK_EVERY_MS = 10;
const ASK_MS = 500;
/** For this node to notice that it gave the lease away: milliseconds, where the machine is not busy. */
const STEP_DOWN_MS = 5_000;
/** For finding the standby, while everybody still writes: a busy machine must not pass for one that is not there. */
const FIND_MS = 3_000;

/**
 * Hands the lease to a connected candidate that has every transaction, within `timeoutMs` once it has found one. Does nothing on a node that is not
 * the primary, or when there is no such candidate: LiteFS then gives the lease back at its end.
 * Nothing can be committed between the last look and the hand-over: LiteFS' own halt lock is held meanwhile, which makes
 * writers wait as for any other writer; they fail as on a replica afterwards. Returns the new primary's name, or null.
 */
export async function handOver(settings: Settings, timeoutMs: number): Promise<string | null> {
  const fromMs = performance.now();
  const name = basename(settings.databaseFile);
  const { url } = settings.litefs;
  const own = await nodeState(url, name, FIND_MS).catch(() => null);
  if (!own?.isPrimary || !own.position) return null;
  const peers = await findPeers().catch(() => []);
  const asked = await Promise.all(
    peers
      .filter(({ region }) => region === settings.primaryRegion)
      .map(async (peer) => ({
        peer,
        state: await nodeState(litefsUrl(peer), name, FIND_MS).catch(() => null),
      })),
  );
  const askedMs = performance.now() - fromMs;
  const standby = asked.find(({ state }) => state?.candidate && state.position)?.peer;
  if (!standby) {
    say("warn", "launch.no_standby", { asked: asked.map(({ peer }) => peer.instance) });
    return null;
  }

  const leftMs = () => timeoutMs - (performance.now() - fromMs - askedMs);
  const lock = `${url}/halt?name=${encodeURIComponent(name)}&id=${randomInt(1, 2 ** 31)}`;
  const headers = { "litefs-id": randomBytes(8).toString("hex").toUpperCase() };
  let isHalted = false;
  try {
    isHalted = (await call(lock, { method: "POST", headers, timeoutMs: leftMs() })).status === 200;
    if (!isHalted) throw new Error("LiteFS gave no halt lock");
    const haltedMs = performance.now() - fromMs;
    const last = (await nodeState(url, name, ASK_MS)).position!;
    for (;;) {
      const { position } = await nodeState(litefsUrl(standby), name, Math.max(1, leftMs()));
      if (position?.txid === last.txid && position.checksum === last.checksum) break;
      if (leftMs() <= 0)
        throw new Error(
          `${standby.instance} is at transaction ${position?.txid}, not at ${last.txid}`,
        );
      await sleep(LOOK_EVERY_MS);
    }
    const levelMs = performance.now() - fromMs;
    const answer = await call(`${litefsUrl(standby)}/promote`, {
      method: "POST",
      timeoutMs: Math.max(1, leftMs()),
    });
    if (answer.status !== 200) throw new Error(answer.body.trim());
    // The lock goes when this node is a replica, not before: LiteFS ends itself when a transaction that began on a primary commits on none.
    const givenMs = performance.now();
    while (
      performance.now() - givenMs < STEP_DOWN_MS &&
      (await nodeState(url, name, ASK_MS).catch(() => null))?.isPrimary !== false
    )
      await sleep(LOOK_EVERY_MS);
    say("info", "launch.handed_over", {
      to: standby.instance,
      txid: last.txid,
      asked_ms: Math.round(askedMs),
      halted_ms: Math.round(haltedMs),
      level_ms: Math.round(levelMs),
      ms: Math.round(performance.now() - fromMs),
    });
    return standby.instance;
  } catch (error) {
    say("warn", "launch.not_handed_over", { to: standby.instance, error });
    return null;
  } finally {
    if (isHalted)
      await call(lock, { method: "DELETE", headers, timeoutMs: ASK_MS }).catch((error: unknown) =>
        say("warn", "launch.halt_not_released", { error }),
      );
  }
}
