// Rate-limits logins, passkeys, device links and exports by email address, client, subnet or
// member.

import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { singleton } from "#lib/core/singleton.ts";
import { clientKey, subnetKey } from "#lib/http/client-key.ts";

/** A client's IP address; null if unknown. All unknown clients share one limit. */
type ClientAddress = string | null;

const TOO_MANY_ATTEMPTS = "Too many attempts. Wait a few minutes or log in by email.";

function formatRetryDelay(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return "in a minute";
  if (minutes < 60) return `in ${minutes} minutes`;
  return minutes === 60 ? "in an hour" : `in ${Math.ceil(minutes / 60)} hours`;
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

/**
 * Creates the limits on login emails and codes, or on other emails that anyone can request. A
 * refusal's message is the same for every email address.
 */
export function createLoginLimiter(refusal = "Too many login emails.") {
  // 20 emails a day allow an attacker 100 guesses at a million codes. An attacker can use up an
  // address's emails, but can't invalidate one: its link and code keep working for 15 minutes.
  // After that, a passkey still logs in.
  const perAddress = new RateLimiter(5, HOUR_MS);
  const perAddressDaily = new RateLimiter(20, DAY_MS);
  const perClient = new RateLimiter(30, HOUR_MS);
  const perNetwork = new RateLimiter(100, HOUR_MS);
  const codesPerClient = new RateLimiter(60, HOUR_MS);
  // One client must not occupy all connections to the mail server.
  const sends = new Semaphore(Infinity, 2);

  return {
    /**
     * Counts one email, or throws AppError(rate_limited) and counts nothing. Returns a function
     * that refunds an email that could not be sent, to the email address but not to the client.
     */
    consumeEmail({ email, address }: { email: string; address: ClientAddress }): () => void {
      const addressLimits: [RateLimiter, string][] = [
        [perAddress, email],
        [perAddressDaily, email],
      ];
      const atMs = nowMs();
      consumeWithRetryHint(
        [...addressLimits, [perClient, clientKey(address)], [perNetwork, subnetKey(address)]],
        atMs,
        refusal,
      );
      return () => addressLimits.forEach(([limiter, key]) => limiter.refund(key, atMs));
    },
    /**
     * Acquires one of the client's two permits to send and returns its release function. Unknown
     * clients are not limited. Throws AppError(rate_limited).
     */
    acquireSendSlot({ address }: { address: ClientAddress }): () => void {
      if (!address) return () => {};
      const message = "We're already sending you an email. Try again in a few seconds.";
      return sends.acquire(clientKey(address), {
        perKeyMessage: message,
        totalMessage: message,
        retryAfterSeconds: 10,
      });
    },
    /** Counts one attempt to enter a code. Throws AppError(rate_limited). */
    consumeAttempt({ address }: { address: ClientAddress }): void {
      consumeWithRetryHint([[codesPerClient, clientKey(address)]], nowMs(), "Too many attempts.");
    },
  };
}

export type LoginLimiter = ReturnType<typeof createLoginLimiter>;

export const getLoginLimiter = () => singleton("login-limiter", () => createLoginLimiter());

/** Separate from the login's, so that no one is locked out by subscriptions in their name. */
export const getSubscriptionLimiter = () =>
  singleton("subscription-limiter", () => createLoginLimiter("Too many subscription requests."));

// Generous, because a login takes two requests and many people can share an IP address.
const getPasskeyLimiters = () =>
  singleton("passkey-limiters", () => ({
    perClient: new RateLimiter(60, 10 * MINUTE_MS),
    perMember: new RateLimiter(40, 10 * MINUTE_MS),
  }));

/** Counts one request of a passkey ceremony. Throws AppError(rate_limited). */
export function consumePasskeyRequest(address: ClientAddress, memberId?: string): void {
  const { perClient, perMember } = getPasskeyLimiters();
  consume(
    [[perClient, clientKey(address)], ...(memberId ? [[perMember, memberId] as const] : [])],
    nowMs(),
    TOO_MANY_ATTEMPTS,
  );
}

const getDeviceLoginLimiter = () =>
  singleton("device-login-limiter", () => new RateLimiter(30, 10 * MINUTE_MS));

/** Counts one login with a device link. Throws AppError(rate_limited). */
export function consumeDeviceLogin(address: ClientAddress): void {
  consume([[getDeviceLoginLimiter(), clientKey(address)]], nowMs(), TOO_MANY_ATTEMPTS);
}

const getDeviceLinkLimiter = () =>
  singleton("device-link-limiter", () => new RateLimiter(30, 10 * MINUTE_MS));

/** Counts one new device link of a member. Throws AppError(rate_limited). */
export function consumeDeviceLinkCreation(memberId: string): void {
  consume([[getDeviceLinkLimiter(), memberId]], nowMs(), "Too many codes. Wait a few minutes.");
}

const getConsentLimiter = () => singleton("consent-limiter", () => new RateLimiter(10, DAY_MS));

/**
 * Counts one consent of a member or a subscriber's address, each of which may send a message.
 * Withdrawing it is not limited. Throws AppError(rate_limited).
 */
export function consumeConsent(memberOrEmail: string): void {
  consumeWithRetryHint(
    [[getConsentLimiter(), memberOrEmail]],
    nowMs(),
    "You’ve changed this too often.",
  );
}

// Counted on each instance separately, because exports are reads and run where they arrive.
const getExportLimits = () =>
  singleton("export-limits", () => ({
    limiter: new RateLimiter(20, HOUR_MS),
    slots: new Semaphore(2, 1),
  }));

/**
 * Acquires one of the two permits for exports and returns its release function. Throws
 * AppError(rate_limited).
 */
export function acquireExportSlot(memberId: string): () => void {
  const { limiter, slots } = getExportLimits();
  const release = slots.acquire(memberId, {
    perKeyMessage:
      "Your download is already running. Wait until it ends, or cancel it and try again in a minute.",
    totalMessage: "Too many downloads are running. Try again in a minute.",
    retryAfterSeconds: 60,
  });
  try {
    consume([[limiter, memberId]], nowMs(), "Too many downloads. Try again in an hour.");
  } catch (error) {
    release();
    throw error;
  }
  return release;
}
