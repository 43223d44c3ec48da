// A WebAuthn ceremony between its two requests: a challenge that one answer may use, once, within five minutes.

import { createHash, randomBytes } from "node:crypto";
import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Sql } from "#lib/db/connection.ts";

export const CEREMONY_TTL_MS = 5 * MINUTE_MS;

/** What the database keeps in place of the browser's cookie. */
function hashBrowserId(browser: string): string {
  return createHash("sha256").update(browser).digest("hex");
}

/**
 * Begins a ceremony: with a member it adds a passkey for them, with null it logs somebody in. `browser` is what the browser's
 * cookie is to hold, 256 random bits; `challenge` is base64url. Removes those that have expired.
 */
export function startCeremony(
  sql: Sql,
  userId: string | null,
): { browser: string; challenge: string } {
  const now = nowMs();
  sql.run(`DELETE FROM "PasskeyChallenge" WHERE "expiresAt" <= ?`, now);
  // A member adds one passkey at a time.
  if (userId) sql.run(`DELETE FROM "PasskeyChallenge" WHERE "userId" = ?`, userId);
  const browser = randomBytes(32).toString("base64url");
  const challenge = randomBytes(32).toString("base64url");
  sql.run(
    `INSERT INTO "PasskeyChallenge" ("browserHash", "challenge", "userId", "expiresAt") VALUES (?, ?, ?, ?)`,
    hashBrowserId(browser),
    challenge,
    userId,
    now + CEREMONY_TTL_MS,
  );
  return { browser, challenge };
}

/**
 * Takes the challenge of this browser's ceremony for this member (null: of a log-in) away, so that nobody else can answer it.
 * Throws AppError(conflict) when there is none, it has expired, was used, or was begun for something else.
 * The transaction must commit whatever comes of the answer: an attempt costs its challenge.
 */
export function consumeCeremonyChallenge(
  sql: Sql,
  { browser, userId }: { browser: string | undefined; userId: string | null },
): string {
  const row = browser
    ? sql.get<{ challenge: string; expiresAt: number }>(
        `DELETE FROM "PasskeyChallenge" WHERE "browserHash" = ? AND "userId" IS ? RETURNING "challenge", "expiresAt"`,
        hashBrowserId(browser),
        userId,
      )
    : undefined;
  if (!row || row.expiresAt <= nowMs())
    throw new AppError("conflict", "This took too long, or was answered already. Begin again.");
  return row.challenge;
}
