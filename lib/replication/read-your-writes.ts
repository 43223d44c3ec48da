// Who has just written reads their write, wherever they are answered: a cookie names the transaction, and a replica waits for it.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { incrementCounter, observeHistogram } from "#lib/core/metrics.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { isPrimaryReachable, readPosition, waitForTxid } from "./position.ts";
import { findPrimaryInstance, currentRole } from "./role.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { replayCount, replayTo } from "./ensure-primary.ts";

/** Replication takes milliseconds; after this long the number is of no use to anybody. */
const COOKIE_TTL_MS = MINUTE_MS;
/** How long a replica waits for the transaction (the reference's bound). */
const MAX_WAIT_MS = 500;

const cookieAttributes = (name: string) =>
  `; Path=/; HttpOnly; SameSite=Lax${name.startsWith("__Host-") ? "; Secure" : ""}`;

/** The value of a Set-Cookie header that says that its bearer wrote transaction `txid` just now. Signed, one minute. */
export function createTxidCookie(txid: number): string {
  const name = getCookieName("txid");
  const text = `${txid.toString(36)}.${nowMs().toString(36)}`;
  return `${name}=${text}.${signText("txid", text)}; Max-Age=${COOKIE_TTL_MS / 1000}${cookieAttributes(name)}`;
}

/**
 * For a page that did not find what somebody was told of elsewhere, by mail or on another screen: it may not have arrived here yet.
 * On a replica that knows its primary it throws the replay, once; else it returns, and what is missing is missing.
 */
export function retryOnPrimary(): void {
  if (
    currentRole() === "replica" &&
    isPrimaryReachable() &&
    replayCount(currentRequestContext()) === 0
  )
    replayTo(findPrimaryInstance(), "read_your_writes");
}

/** The transaction of a cookie that txidCookie made within the last minute; null for any other. */
export function verifyTxidCookie(value: string | undefined): number | null {
  const [, text = "", txid = "", at = "", signature = ""] =
    /^(([0-9a-z]{1,11})\.([0-9a-z]{1,9}))\.([\w-]{43})$/.exec(value ?? "") ?? [];
  if (!text || !isValidSignature("txid", text, signature)) return null;
  const ageMs = nowMs() - Number.parseInt(at, 36);
  return ageMs >= -COOKIE_TTL_MS && ageMs <= COOKIE_TTL_MS ? Number.parseInt(txid, 36) : null;
}

/**
 * Waits on a replica until it has what the bearer of the cookie `value` wrote, at most 500 ms, then has the request answered by
 * the primary: throws the replay. Returns at once on the primary, without replication, for a cookie that is forged or old, and
 * for a request that was replayed. A number that the primary itself does not have (from before a restore) is taken back there.
 */
export async function waitForOwnWrites(value: string | undefined): Promise<void> {
  if (!isReplicated()) return;
  const txid = verifyTxidCookie(value);
  if (txid === null) return;
  const context = currentRequestContext();
  if (currentRole() === "primary") {
    const own = readPosition();
    if (own && own.txid < txid) {
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
  const isHere = await waitForTxid(txid, MAX_WAIT_MS);
  observeHistogram("txid_wait_seconds", (performance.now() - startedMs) / 1000, {
    result: isHere ? "arrived" : "timed_out",
  });
  if (isHere || replayCount(context) > 0) return;
  const primary = findPrimaryInstance();
  // Where no primary is to be reached an older page is better than none.
  if (primary === null || currentRole() === "primary" || !isPrimaryReachable())
    return void incrementCounter("txid_stale_reads");
  replayTo(primary, "read_your_writes");
}
