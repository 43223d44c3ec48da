// Links the two requests of a WebAuthn ceremony with a challenge that works once, for five minutes.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import type { Tx } from "#lib/db/database.ts";

export const CEREMONY_TTL_MS = 5 * MINUTE_MS;

/**
 * Starts a ceremony: registration for the member `userId`, or login if it is null. Returns the
 * browser's cookie value and the challenge, each 256 random bits in base64url.
 */
export async function startCeremony(
  tx: Tx,
  userId: string | null,
): Promise<{ browserId: string; challenge: string }> {
  const now = nowMs();
  await tx.passkeyChallenge.deleteMany({ where: { expiresAt: { lte: new Date(now) } } });
  // A member adds one passkey at a time.
  if (userId) await tx.passkeyChallenge.deleteMany({ where: { userId } });
  const browserId = generateSecret(256);
  const challenge = generateSecret(256);
  await tx.passkeyChallenge.create({
    data: {
      browserHash: hashSecret(browserId),
      challenge,
      userId,
      expiresAt: new Date(now + CEREMONY_TTL_MS),
    },
    select: { browserHash: true },
  });
  return { browserId, challenge };
}

/**
 * Deletes and returns the challenge of this browser and member (`userId` is null for a login).
 * Commit the transaction even if verification fails, because an attempt uses up its challenge.
 * Throws AppError(conflict) if there is no challenge or it has expired.
 */
export async function consumeCeremonyChallenge(
  tx: Tx,
  { browserId, userId }: { browserId: string | undefined; userId: string | null },
): Promise<string> {
  const where = {
    browserHash: hashSecret(browserId ?? ""),
    userId,
    expiresAt: { gt: new Date(nowMs()) },
  };
  const row = await tx.passkeyChallenge.findUnique({ where, select: { challenge: true } });
  const { count } = await tx.passkeyChallenge.deleteMany({ where });
  if (!row || count !== 1) throw new AppError("conflict", "That took too long. Please try again.");
  return row.challenge;
}
