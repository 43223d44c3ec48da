// How many log-in mails and codes an address, a client and a network may ask for and try.

import { DAY_MS, HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { clientKey, subnetKey } from "#lib/http/client-key.ts";

/** Log-in mails of one client that are sent at the same time. */
const MAX_CONCURRENT_SENDS = 2;

function formatRetryDelay(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return "in a minute";
  return minutes < 120 ? `in ${minutes} minutes` : `in ${Math.ceil(minutes / 60)} hours`;
}

function consumeWithRetryHint(keys: [RateLimiter, string][], atMs: number, message: string): void {
  try {
    consume(keys, atMs, message);
  } catch (error) {
    if (!isAppError(error, "rate_limited")) throw error;
    throw new AppError(
      "rate_limited",
      `${message} Try again ${formatRetryDelay(error.retryAfterSeconds ?? 60)}.`,
      { retryAfterSeconds: error.retryAfterSeconds, cause: error },
    );
  }
}

/** Limits with memory of their own: one per process. */
export function createLoginLimiter() {
  // An address gets at most 20 mails a day, so a stranger has 100 guesses at a million codes. A stranger can use these mails up, but
  // can't make one worthless: whoever reads it gets in for a quarter of an hour, on any device, by its link and its code, however many
  // wrong codes the stranger has tried. Between those mails only a passkey logs in until the limit lets another through.
  const perAddress = new RateLimiter(5, HOUR_MS);
  const perAddressDaily = new RateLimiter(20, DAY_MS);
  const perClient = new RateLimiter(30, HOUR_MS);
  const perNetwork = new RateLimiter(100, HOUR_MS);
  const codesPerClient = new RateLimiter(60, HOUR_MS);
  const underWay = new Map<string, number>();

  const client = (address: string | null) => (address ? clientKey(address) : "unknown");
  return {
    /**
     * Counts one mail to `email`, asked for from `address` (null where none is known: all such count as one client).
     * Throws AppError(rate_limited) that says when, and counts nothing, when it is one too many; it says the same for every address.
     * What comes back forgets the mail for the address, not for the client: for one that could not be sent.
     */
    takeMail({ email, address }: { email: string; address: string | null }): () => void {
      const ofAddress: [RateLimiter, string][] = [
        [perAddress, email],
        [perAddressDaily, email],
      ];
      const at = nowMs();
      consumeWithRetryHint(
        [
          ...ofAddress,
          [perClient, client(address)],
          [perNetwork, address ? subnetKey(address) : "unknown"],
        ],
        at,
        "Too many log-in mails were asked for.",
      );
      return () => ofAddress.forEach(([limit, key]) => limit.refund(key, at));
    },
    /**
     * Notes that a mail asked for from `address` is under way until what comes back is called. Throws AppError(rate_limited) when two
     * are: one client must not hold all connections to the mail server. Without an address nothing is noted: it could be anybody.
     */
    beginSending({ address }: { address: string | null }): () => void {
      if (!address) return () => {};
      const key = clientKey(address);
      const now = underWay.get(key) ?? 0;
      if (now >= MAX_CONCURRENT_SENDS)
        throw new AppError(
          "rate_limited",
          "Two log-in mails are on their way from here already. Try again in some seconds.",
          { retryAfterSeconds: 10 },
        );
      underWay.set(key, now + 1);
      return () => {
        const left = (underWay.get(key) ?? 1) - 1;
        if (left > 0) underWay.set(key, left);
        else underWay.delete(key);
      };
    },
    /** Counts one code or link tried from `address`. Throws AppError(rate_limited) that says when. */
    takeTry({ address }: { address: string | null }): void {
      consumeWithRetryHint(
        [[codesPerClient, client(address)]],
        nowMs(),
        "Too many codes were tried.",
      );
    },
  };
}

export type LoginLimiter = ReturnType<typeof createLoginLimiter>;
