// A log-in by mail: a link and a code that prove, once and within 15 minutes, that somebody reads mail to an address.
// Nothing here knows whether the address belongs to a member.

import { createHash, randomBytes, randomInt } from "node:crypto";
import { HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Sql } from "../db/connection.ts";

export const CHALLENGE_TTL_MS = 15 * MINUTE_MS;
/**
 * Wrong codes that each way takes. With the cookie of the browser that asked, which a stranger can have, the last one voids only that
 * way: whoever reads the mail still gets in by its link. With the token, which only the mail has, it voids the challenge.
 */
export const MAX_ATTEMPTS = 5;

const LABEL = "lectern login code v1";
/** Expired rows stay this long, so that somebody who is late can still ask for another mail to the same address. */
const RETENTION_MS = HOUR_MS;
/** Rows swept at most with each new one: more than come in, and never a long transaction. */
const SWEEP_LIMIT = 20;
const OPEN_CHALLENGE_SQL = `"usedAt" IS NULL AND "expiresAt" > ? AND "tokenTries" < ${MAX_ATTEMPTS}`;

/** What goes out: the token and the code by mail, the browser's id into its cookie. Only their hashes are stored. */
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
  /** Whether the browser that looks is the one that asked. */
  readonly isThisBrowser: boolean;
  /** Whether the code may still be typed in the browser that asked: false after five wrong ones there. */
  readonly canUseCode: boolean;
}

/** What a code was worth. Of the refusals only "wrong" has changed something: it is one try fewer. */
export type CodeVerdict =
  | { readonly outcome: "proven"; readonly email: string }
  | { readonly outcome: "wrong"; readonly triesLeft: number }
  /** Out of tries in the browser that asked; the link still works. */
  | { readonly outcome: "spent" }
  /** Expired, used, void, or never there. */
  | { readonly outcome: "gone" };

/** How a challenge is found: by the cookie of the browser that asked, or by the token of the link. */
export type ChallengeKey = { readonly browserId: string } | { readonly token: string };

/** What the database holds in place of a random secret: its SHA-256, in hex. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

const generateSecret = () => randomBytes(16).toString("base64url");

/** Begins a log-in. Also sweeps some rows that expired more than an hour ago. */
export function startChallenge(sql: Sql, { email }: { email: string }): NewChallenge {
  const now = nowMs();
  sql.run(
    `DELETE FROM "LoginChallenge" WHERE "tokenHash" IN (SELECT "tokenHash" FROM "LoginChallenge" WHERE "expiresAt" <= ? ORDER BY "expiresAt" LIMIT ${SWEEP_LIMIT})`,
    now - RETENTION_MS,
  );
  const challenge = {
    token: generateSecret(),
    code: String(randomInt(1_000_000)).padStart(6, "0"),
    browserId: generateSecret(),
    expiresAtMs: now + CHALLENGE_TTL_MS,
  };
  const tokenHash = hashSecret(challenge.token);
  sql.run(
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

/** Takes a challenge back whose mail was not sent. Its link and its code are then worth nothing. */
export function cancelChallenge(sql: Sql, { browserId }: { browserId: string }): void {
  sql.run(
    `DELETE FROM "LoginChallenge" WHERE "browserHash" = ? AND "usedAt" IS NULL`,
    hashSecret(browserId),
  );
}

/** The challenge of a link, or of this browser's cookie, that can still be used; null when there is none. Changes nothing. */
export function findChallenge(
  sql: Sql,
  { token, browserId }: { token?: string; browserId: string | null },
): OpenChallenge | null {
  if (token === undefined && browserId === null) return null;
  const browserHash = browserId === null ? null : hashSecret(browserId);
  const [column, hash] =
    token === undefined ? ["browserHash", browserHash as string] : ["tokenHash", hashSecret(token)];
  const row = sql.get<{ email: string; expiresAtMs: number; browserHash: string; tries: number }>(
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

/** The address this browser asked for, also when the challenge has expired or ran out of tries (not when it was used): for asking again. */
export function pendingLoginEmail(sql: Sql, { browserId }: { browserId: string }): string | null {
  return (
    sql.get<{ email: string }>(
      `SELECT "email" FROM "LoginChallenge" WHERE "browserHash" = ? AND "usedAt" IS NULL`,
      hashSecret(browserId),
    )?.email ?? null
  );
}

/**
 * Uses the link up, in the browser that asked. Returns the address it proves; null when the link is forged, expired, used,
 * void or was opened in another browser. One UPDATE decides: of many at the same time one gets the address.
 */
export function consumeLoginLink(
  sql: Sql,
  { token, browserId }: { token: string; browserId: string | null },
): string | null {
  if (browserId === null) return null;
  const now = nowMs();
  const tokenHash = hashSecret(token);
  const { changes } = sql.run(
    `UPDATE "LoginChallenge" SET "usedAt" = ? WHERE "tokenHash" = ? AND "browserHash" = ? AND ${OPEN_CHALLENGE_SQL}`,
    now,
    tokenHash,
    hashSecret(browserId),
    now,
  );
  return changes === 1
    ? (
        sql.get<{ email: string }>(
          `SELECT "email" FROM "LoginChallenge" WHERE "tokenHash" = ?`,
          tokenHash,
        ) as { email: string }
      ).email
    : null;
}

/**
 * Uses the code up, together with the cookie of the browser that asked or, on another device, with the token of the link.
 * A wrong code counts as a try: let the transaction commit whatever comes back, and refuse after it.
 */
export function consumeLoginCode(
  sql: Sql,
  { code, ...key }: ChallengeKey & { code: string },
): CodeVerdict {
  const now = nowMs();
  const [column, hash, tries] =
    "token" in key
      ? ["tokenHash", hashSecret(key.token), "tokenTries"]
      : ["browserHash", hashSecret(key.browserId), "tries"];
  const row = sql.get<{ tokenHash: string; codeHash: string; email: string; tries: number }>(
    `SELECT "tokenHash", "codeHash", "email", "${tries}" AS "tries" FROM "LoginChallenge" WHERE "${column}" = ? AND ${OPEN_CHALLENGE_SQL}`,
    hash,
    now,
  );
  if (!row) return { outcome: "gone" };
  if (row.tries >= MAX_ATTEMPTS) return { outcome: "spent" };
  if (!isValidSignature(LABEL, `${row.tokenHash} ${code}`, row.codeHash)) {
    sql.run(
      `UPDATE "LoginChallenge" SET "${tries}" = "${tries}" + 1 WHERE "tokenHash" = ? AND ${OPEN_CHALLENGE_SQL}`,
      row.tokenHash,
      now,
    );
    return { outcome: "wrong", triesLeft: MAX_ATTEMPTS - row.tries - 1 };
  }
  const { changes } = sql.run(
    `UPDATE "LoginChallenge" SET "usedAt" = ? WHERE "tokenHash" = ? AND ${OPEN_CHALLENGE_SQL}`,
    now,
    row.tokenHash,
    now,
  );
  return changes === 1 ? { outcome: "proven", email: row.email } : { outcome: "gone" };
}
