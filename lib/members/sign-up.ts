// Creates members from verified email addresses.

import { randomUUID } from "node:crypto";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import type { Tx } from "#lib/db/database.ts";
import type { Team } from "#lib/reading/team.ts";
import { type Purpose, grantConsent } from "./consent.ts";
import { SIGNUP_TTL_MS } from "./cookies.ts";
import { findUsersByEmail } from "./email.sql.ts";

export const SIGNUP_EXPIRED_MESSAGE = "This sign-up has expired. Log in to continue.";

const RETENTION_MS = HOUR_MS;
const SWEEP_LIMIT = 20;

/**
 * Returns the ID of the member with this lowercase address, or null. Migrated addresses may contain
 * capitals: if several differ only in case, the exact match wins, then the oldest.
 */
export function findMemberId(tx: Tx, email: string): string | null {
  return findUsersByEmail(tx, email)[0]?.id ?? null;
}

/** Returns a member's address as it is stored, or null. Migrated addresses may have any form. */
export function findMemberEmail(tx: Tx, email: string): string | null {
  return findUsersByEmail(tx, email)[0]?.email ?? null;
}

/**
 * Records that this browser verified `email`, and returns the ID for its cookie. Also deletes up to
 * SWEEP_LIMIT expired rows.
 */
export async function startSignup(
  tx: Tx,
  { email }: { email: string },
): Promise<{ browserId: string }> {
  const now = nowMs();
  await tx.pendingSignup.deleteMany({
    where: { expiresAt: { lte: new Date(now - RETENTION_MS) } },
    limit: SWEEP_LIMIT,
  });
  const browserId = generateSecret(128);
  await tx.pendingSignup.create({
    data: {
      browserHash: hashSecret(browserId),
      email,
      expiresAt: new Date(now + SIGNUP_TTL_MS),
    },
    select: { browserHash: true },
  });
  return { browserId };
}

/**
 * Returns the address that this browser verified; null if there is no sign-up, or it is complete or
 * expired.
 */
export function findPendingSignup(
  tx: Tx,
  { browserId }: { browserId: string },
): Promise<{ email: string } | null> {
  return tx.pendingSignup.findUnique({
    where: { browserHash: hashSecret(browserId), expiresAt: { gt: new Date(nowMs()) } },
    select: { email: true },
  });
}

/**
 * Creates the member whose address this browser verified, and enqueues what they agreed to: call triggerDeliveries() after the commit. Throws AppError(conflict) if the sign-up
 * has expired or the address has an account.
 */
export async function createMember(
  tx: Tx,
  {
    browserId,
    firstName,
    team,
    consents = [],
  }: { browserId: string; firstName: string; team: Team; consents?: readonly Purpose[] },
): Promise<{ userId: string }> {
  const now = new Date(nowMs());
  const pending = await findPendingSignup(tx, { browserId });
  const { count } = await tx.pendingSignup.deleteMany({
    where: { browserHash: hashSecret(browserId), expiresAt: { gt: now } },
  });
  if (!pending || count !== 1) throw new AppError("conflict", SIGNUP_EXPIRED_MESSAGE);
  const email = pending.email.toLowerCase();
  if (findMemberId(tx, email))
    throw new AppError("conflict", "This email already has an account. Log in instead.");
  const userId = randomUUID();
  await tx.user.create({
    data: { id: userId, createdAt: now, updatedAt: now, email, firstName, role: "MEMBER", team },
    select: { id: true },
  });
  for (const purpose of consents)
    await grantConsent(tx, { id: userId, email, firstName, team }, purpose);
  return { userId };
}
