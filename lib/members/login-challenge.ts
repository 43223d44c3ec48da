// Verifies that a person receives email at an address: a link and a code that work once, for 15
// minutes. Knows nothing about members, so the responses are the same for every address.

import { randomInt } from "node:crypto";
import { HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Prisma, Tx } from "#lib/db/database.ts";

export const CHALLENGE_TTL_MS = 15 * MINUTE_MS;
/**
 * Wrong codes allowed. With the cookie, which an attacker can get, they only block more codes in
 * that browser. With the token, which only the email contains, they invalidate the challenge.
 */
export const MAX_ATTEMPTS = 5;

const LABEL = "lectern login code v1";
/** Expired rows are kept this long, so that a late visitor can still have the email resent. */
const RETENTION_MS = HOUR_MS;
/**
 * Expired rows deleted with each new one: faster than they arrive, but never a long transaction.
 */
const SWEEP_LIMIT = 20;
const openChallengeFilter = (now: Date) =>
  ({
    usedAt: null,
    expiresAt: { gt: now },
    tokenTries: { lt: MAX_ATTEMPTS },
  }) satisfies Prisma.LoginChallengeWhereInput;

/**
 * The secrets to send: the token and code by email, the browser ID as a cookie. The database stores
 * their hashes.
 */
export interface NewChallenge {
  /** 128 random bits, base64url. */
  readonly token: string;
  /** Six digits. */
  readonly code: string;
  /** 128 random bits, base64url. */
  readonly browserId: string;
  readonly expiresAtMs: number;
}

export interface OpenChallenge {
  readonly email: string;
  readonly expiresAtMs: number;
  /** True if the browser that opens the link is the one that requested it. */
  readonly isThisBrowser: boolean;
  /**
   * True if the requesting browser may still enter the code; false after MAX_ATTEMPTS wrong ones.
   */
  readonly canUseCode: boolean;
}

/**
 * Result of consumeLoginCode(). Of the refusals, only "wrong" changes the database: it uses up one
 * attempt.
 */
export type CodeVerdict =
  | { readonly outcome: "proven"; readonly email: string }
  | { readonly outcome: "wrong"; readonly attemptsLeft: number }
  /** No attempts left in the requesting browser; the link still works. */
  | { readonly outcome: "too_many_attempts" }
  /** Expired, used, invalidated or unknown. */
  | { readonly outcome: "expired" };

/** Identifies a challenge by the cookie of the requesting browser or by the token of the link. */
export type ChallengeKey = { readonly browserId: string } | { readonly token: string };

/**
 * Creates a challenge. Also deletes up to SWEEP_LIMIT rows that expired more than RETENTION_MS ago.
 */
export async function startChallenge(tx: Tx, { email }: { email: string }): Promise<NewChallenge> {
  const now = nowMs();
  await tx.loginChallenge.deleteMany({
    where: { expiresAt: { lte: new Date(now - RETENTION_MS) } },
    limit: SWEEP_LIMIT,
  });
  const challenge = {
    token: generateSecret(128),
    code: String(randomInt(1_000_000)).padStart(6, "0"),
    browserId: generateSecret(128),
    expiresAtMs: now + CHALLENGE_TTL_MS,
  };
  const tokenHash = hashSecret(challenge.token);
  await tx.loginChallenge.create({
    data: {
      tokenHash,
      browserHash: hashSecret(challenge.browserId),
      codeHash: signText(LABEL, `${tokenHash} ${challenge.code}`),
      email,
      createdAt: new Date(now),
      expiresAt: new Date(challenge.expiresAtMs),
    },
    select: { tokenHash: true },
  });
  return challenge;
}

/** Deletes a challenge whose email could not be sent. */
export async function cancelChallenge(tx: Tx, { browserId }: { browserId: string }): Promise<void> {
  await tx.loginChallenge.deleteMany({
    where: { browserHash: hashSecret(browserId), usedAt: null },
  });
}

/**
 * Returns the open challenge of a link, or of this browser's cookie; null if it does not exist. Changes
 * nothing.
 */
export async function findChallenge(
  tx: Tx,
  { token, browserId }: { token?: string; browserId: string | null },
): Promise<OpenChallenge | null> {
  const browserHash = browserId === null ? null : hashSecret(browserId);
  const key =
    token !== undefined
      ? { tokenHash: hashSecret(token) }
      : browserHash !== null
        ? { browserHash }
        : null;
  const row =
    key &&
    (await tx.loginChallenge.findUnique({
      where: { ...key, ...openChallengeFilter(new Date(nowMs())) },
      select: { email: true, expiresAt: true, browserHash: true, tries: true },
    }));
  return (
    row && {
      email: row.email,
      expiresAtMs: row.expiresAt.getTime(),
      isThisBrowser: row.browserHash === browserHash,
      canUseCode: row.tries < MAX_ATTEMPTS,
    }
  );
}

/**
 * Returns the address to resend the email to, even after expiry or too many attempts; null if the
 * challenge was used or is unknown.
 */
export async function pendingLoginEmail(
  tx: Tx,
  { browserId }: { browserId: string },
): Promise<string | null> {
  const challenge = await tx.loginChallenge.findUnique({
    where: { browserHash: hashSecret(browserId), usedAt: null },
    select: { email: true },
  });
  return challenge?.email ?? null;
}

/**
 * Consumes the link and returns the verified address; null if it is forged, expired, used,
 * invalidated or opened in another browser. It is a single UPDATE, so only one of several
 * concurrent calls succeeds.
 */
export async function consumeLoginLink(
  tx: Tx,
  { token, browserId }: { token: string; browserId: string | null },
): Promise<string | null> {
  if (browserId === null) return null;
  const now = new Date(nowMs());
  const [consumed] = await tx.loginChallenge.updateManyAndReturn({
    where: {
      tokenHash: hashSecret(token),
      browserHash: hashSecret(browserId),
      ...openChallengeFilter(now),
    },
    data: { usedAt: now },
    select: { email: true },
  });
  return consumed?.email ?? null;
}

/**
 * Consumes the code, with the requesting browser's cookie or, on another device, with the link's
 * token. A wrong code uses up an attempt, so commit the transaction whatever the result, and refuse
 * afterwards.
 */
export async function consumeLoginCode(
  tx: Tx,
  { code, ...key }: ChallengeKey & { code: string },
): Promise<CodeVerdict> {
  const now = new Date(nowMs());
  const isByToken = "token" in key;
  const row = await tx.loginChallenge.findUnique({
    where: {
      ...(isByToken
        ? { tokenHash: hashSecret(key.token) }
        : { browserHash: hashSecret(key.browserId) }),
      ...openChallengeFilter(now),
    },
    select: { tokenHash: true, codeHash: true, tries: true, tokenTries: true },
  });
  if (!row) return { outcome: "expired" };
  const attempts = isByToken ? row.tokenTries : row.tries;
  if (attempts >= MAX_ATTEMPTS) return { outcome: "too_many_attempts" };
  const where = { tokenHash: row.tokenHash, ...openChallengeFilter(now) };
  if (!isValidSignature(LABEL, `${row.tokenHash} ${code}`, row.codeHash)) {
    await tx.loginChallenge.updateMany({
      where,
      data: isByToken ? { tokenTries: { increment: 1 } } : { tries: { increment: 1 } },
    });
    return { outcome: "wrong", attemptsLeft: MAX_ATTEMPTS - attempts - 1 };
  }
  const [consumed] = await tx.loginChallenge.updateManyAndReturn({
    where,
    data: { usedAt: now },
    select: { email: true },
  });
  return consumed ? { outcome: "proven", email: consumed.email } : { outcome: "expired" };
}
