// Implements read-your-writes: a signed cookie names the client's last transaction, and a replica
// waits for it.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { incrementCounter, observeHistogram } from "#lib/core/metrics.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { isPrimaryReachable, readPosition, waitForTxid } from "./position.ts";
import { findPrimaryInstance, currentRole } from "./role.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { replayCount, replayTo } from "./ensure-primary.ts";

/** Replication takes milliseconds, so by then every replica has the transaction. */
const COOKIE_TTL_MS = MINUTE_MS;
/** How long a replica waits before it replays the request to the primary. */
const MAX_WAIT_MS = 500;

const cookieAttributes = (name: string) =>
  `; Path=/; HttpOnly; SameSite=Lax${name.startsWith("__Host-") ? "; Secure" : ""}`;

/**
 * Returns a signed Set-Cookie value that names `txid` as the client's last write, valid for
 * COOKIE_TTL_MS.
 */
export function createTxidCookie(txid: number): string {
  const name = getCookieName("txid");
  const text = `${txid.toString(36)}.${nowMs().toString(36)}`;
  return `${name}=${text}.${signText("txid", text)}; Max-Age=${COOKIE_TTL_MS / 1000}${cookieAttributes(name)}`;
}

/**
 * Replays the request to the primary, once, for a page that can't find a row named by a link: it
 * may not be replicated yet. Returns on the primary, after a replay, or if the primary is
 * unreachable.
 */
export function retryOnPrimary(): void {
  if (
    currentRole() === "replica" &&
    isPrimaryReachable() &&
    replayCount(currentRequestContext()) === 0
  )
    replayTo(findPrimaryInstance(), "read_your_writes");
}

/** Returns the txid of an unexpired cookie that createTxidCookie() signed; null otherwise. */
export function verifyTxidCookie(value: string | undefined): number | null {
  const [, text = "", txid = "", time = "", signature = ""] =
    /^(([0-9a-z]{1,11})\.([0-9a-z]{1,9}))\.([\w-]{43})$/.exec(value ?? "") ?? [];
  if (!text || !isValidSignature("txid", text, signature)) return null;
  const ageMs = nowMs() - Number.parseInt(time, 36);
  return ageMs >= -COOKIE_TTL_MS && ageMs <= COOKIE_TTL_MS ? Number.parseInt(txid, 36) : null;
}

/** Returns whether this instance already has the transaction named by the cookie `value`. */
export function hasOwnWrites(value: string | undefined): boolean {
  const txid = isReplicated() ? verifyTxidCookie(value) : null;
  return txid === null || txid <= (readPosition()?.txid ?? -1);
}

/**
 * Waits up to MAX_WAIT_MS until this replica has the transaction named by the cookie `value`, then
 * replays the request to the primary. Ignores forged and expired cookies. The primary expires the
 * cookie if it lacks the transaction, for example after a restore.
 */
export async function waitForOwnWrites(value: string | undefined): Promise<void> {
  if (!isReplicated()) return;
  const txid = verifyTxidCookie(value);
  if (txid === null) return;
  const context = currentRequestContext();
  if (currentRole() === "primary") {
    const position = readPosition();
    if (position && position.txid < txid) {
      const name = getCookieName("txid");
      context?.beforeHeadHooks.push(() => {
        if (context.committedTxid === undefined)
          context.response.appendHeader(
            "set-cookie",
            `${name}=; Max-Age=0${cookieAttributes(name)}`,
          );
      });
    }
    return;
  }
  const startedMs = performance.now();
  const isReplicatedHere = await waitForTxid(txid, MAX_WAIT_MS);
  observeHistogram("txid_wait_seconds", (performance.now() - startedMs) / 1000, {
    result: isReplicatedHere ? "arrived" : "timed_out",
  });
  if (isReplicatedHere || replayCount(context) > 0) return;
  const primary = findPrimaryInstance();
  // If the primary is unreachable, a stale page is better than none.
  if (primary === null || currentRole() === "primary" || !isPrimaryReachable())
    return void incrementCounter("txid_stale_reads");
  replayTo(primary, "read_your_writes");
}
