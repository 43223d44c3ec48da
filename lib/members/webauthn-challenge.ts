// Links the two requests of a WebAuthn ceremony with a challenge that works once, for five minutes.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

export const CEREMONY_TTL_MS = 5 * MINUTE_MS;

/**
 * Starts a ceremony: registration for the member `userId`, or login if it is null. Returns the
 * browser's cookie value and the challenge, each 256 random bits in base64url.
 */
export function startCeremony(
  tx: Tx,
  userId: string | null,
): { browserId: string; challenge: string } {
  const now = nowMs();
  sqlOf(tx).run(`DELETE FROM "PasskeyChallenge" WHERE "expiresAt" <= ?`, now);
  // A member adds one passkey at a time.
  if (userId) sqlOf(tx).run(`DELETE FROM "PasskeyChallenge" WHERE "userId" = ?`, userId);
  const browserId = generateSecret(256);
  const challenge = generateSecret(256);
  sqlOf(tx).run(
    `INSERT INTO "PasskeyChallenge" ("browserHash", "challenge", "userId", "expiresAt") VALUES (?, ?, ?, ?)`,
    hashSecret(browserId),
    challenge,
    userId,
    now + CEREMONY_TTL_MS,
  );
  return { browserId, challenge };
}

/**
 * Deletes and returns the challenge of this browser and member (`userId` is null for a login).
 * Commit the transaction even if verification fails, because an attempt uses up its challenge.
 * Throws AppError(conflict) if there is no challenge or it has expired.
 */
export function consumeCeremonyChallenge(
  tx: Tx,
  { browserId, userId }: { browserId: string | undefined; userId: string | null },
): string {
  const row = browserId
    ? sqlOf(tx).get<{ challenge: string; expiresAt: number }>(
        `DELETE FROM "PasskeyChallenge" WHERE "browserHash" = ? AND "userId" IS ? RETURNING "challenge", "expiresAt"`,
        hashSecret(browserId),
        userId,
      )
    : undefined;
  if (!row || row.expiresAt <= nowMs())
    throw new AppError("conflict", "That took too long. Please try again.");
  return row.challenge;
}
