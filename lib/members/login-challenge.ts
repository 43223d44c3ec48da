// Verifies that a person receives email at an address: a link and a code that work once, for 15
// minutes. Knows nothing about members, so the responses are the same for every address.

import { randomInt } from "node:crypto";
import { HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

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
const OPEN_CHALLENGE_SQL = `"usedAt" IS NULL AND "expiresAt" > ? AND "tokenTries" < ${MAX_ATTEMPTS}`;

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
export function startChallenge(tx: Tx, { email }: { email: string }): NewChallenge {
  const now = nowMs();
  sqlOf(tx).run(
    `DELETE FROM "LoginChallenge" WHERE "tokenHash" IN (SELECT "tokenHash" FROM "LoginChallenge" WHERE "expiresAt" <= ? ORDER BY "expiresAt" LIMIT ${SWEEP_LIMIT})`,
    now - RETENTION_MS,
  );
  const challenge = {
    token: generateSecret(128),
    code: String(randomInt(1_000_000)).padStart(6, "0"),
    browserId: generateSecret(128),
    expiresAtMs: now + CHALLENGE_TTL_MS,
  };
  const tokenHash = hashSecret(challenge.token);
  sqlOf(tx).run(
    `INSERT INTO "LoginChallenge" ("tokenHash", "browserHash", "codeHash", "email", "createdAt", "expiresAt") VALUES (?, ?, ?, ?, ?, ?)`,
    tokenHash,
    hashSecret(challenge.browserId),
    signText(LABEL, `${tokenHash} ${challenge.code}`),
    email,
    now,
    challenge.expiresAtMs,
  );
  return challenge;
}

/** Deletes a challenge whose email could not be sent. */
export function cancelChallenge(tx: Tx, { browserId }: { browserId: string }): void {
  sqlOf(tx).run(
    `DELETE FROM "LoginChallenge" WHERE "browserHash" = ? AND "usedAt" IS NULL`,
    hashSecret(browserId),
  );
}

/**
 * Returns the open challenge of a link, or of this browser's cookie; null if there is none. Changes
 * nothing.
 */
export function findChallenge(
  tx: Tx,
  { token, browserId }: { token?: string; browserId: string | null },
): OpenChallenge | null {
  if (token === undefined && browserId === null) return null;
  const browserHash = browserId === null ? null : hashSecret(browserId);
  const [column, hash] =
    token === undefined ? ["browserHash", browserHash as string] : ["tokenHash", hashSecret(token)];
  const row = sqlOf(tx).get<{
    email: string;
    expiresAtMs: number;
    browserHash: string;
    tries: number;
  }>(
    `SELECT "email", "expiresAt" AS "expiresAtMs", "browserHash", "tries" FROM "LoginChallenge" WHERE "${column}" = ? AND ${OPEN_CHALLENGE_SQL}`,
    hash,
    nowMs(),
  );
  return row
    ? {
        email: row.email,
        expiresAtMs: row.expiresAtMs,
        isThisBrowser: row.browserHash === browserHash,
        canUseCode: row.tries < MAX_ATTEMPTS,
      }
    : null;
}

/**
 * Returns the address to resend the email to, even after expiry or too many attempts; null if the
 * challenge was used or is unknown.
 */
export function pendingLoginEmail(tx: Tx, { browserId }: { browserId: string }): string | null {
  return (
    sqlOf(tx).get<{ email: string }>(
      `SELECT "email" FROM "LoginChallenge" WHERE "browserHash" = ? AND "usedAt" IS NULL`,
      hashSecret(browserId),
    )?.email ?? null
  );
}

/**
 * Consumes the link and returns the verified address; null if it is forged, expired, used,
 * invalidated or opened in another browser. A single UPDATE decides, so only one of several
 * concurrent calls succeeds.
 */
export function consumeLoginLink(
  tx: Tx,
  { token, browserId }: { token: string; browserId: string | null },
): string | null {
  if (browserId === null) return null;
  const now = nowMs();
  const tokenHash = hashSecret(token);
  const { changes } = sqlOf(tx).run(
    `UPDATE "LoginChallenge" SET "usedAt" = ? WHERE "tokenHash" = ? AND "browserHash" = ? AND ${OPEN_CHALLENGE_SQL}`,
    now,
    tokenHash,
    hashSecret(browserId),
    now,
  );
  if (changes !== 1) return null;
  return sqlOf(tx).get<{ email: string }>(
    `SELECT "email" FROM "LoginChallenge" WHERE "tokenHash" = ?`,
    tokenHash,
  )!.email;
}

/**
 * Consumes the code, with the requesting browser's cookie or, on another device, with the link's
 * token. A wrong code uses up an attempt, so commit the transaction whatever the result, and refuse
 * afterwards.
 */
export function consumeLoginCode(
  tx: Tx,
  { code, ...key }: ChallengeKey & { code: string },
): CodeVerdict {
  const now = nowMs();
  const [column, hash, attemptsColumn] =
    "token" in key
      ? ["tokenHash", hashSecret(key.token), "tokenTries"]
      : ["browserHash", hashSecret(key.browserId), "tries"];
  const row = sqlOf(tx).get<{
    tokenHash: string;
    codeHash: string;
    email: string;
    attempts: number;
  }>(
    `SELECT "tokenHash", "codeHash", "email", "${attemptsColumn}" AS "attempts" FROM "LoginChallenge" WHERE "${column}" = ? AND ${OPEN_CHALLENGE_SQL}`,
    hash,
    now,
  );
  if (!row) return { outcome: "expired" };
  if (row.attempts >= MAX_ATTEMPTS) return { outcome: "too_many_attempts" };
  if (!isValidSignature(LABEL, `${row.tokenHash} ${code}`, row.codeHash)) {
    sqlOf(tx).run(
      `UPDATE "LoginChallenge" SET "${attemptsColumn}" = "${attemptsColumn}" + 1 WHERE "tokenHash" = ? AND ${OPEN_CHALLENGE_SQL}`,
      row.tokenHash,
      now,
    );
    return { outcome: "wrong", attemptsLeft: MAX_ATTEMPTS - row.attempts - 1 };
  }
  const { changes } = sqlOf(tx).run(
    `UPDATE "LoginChallenge" SET "usedAt" = ? WHERE "tokenHash" = ? AND ${OPEN_CHALLENGE_SQL}`,
    now,
    row.tokenHash,
    now,
  );
  return changes === 1 ? { outcome: "proven", email: row.email } : { outcome: "expired" };
}
