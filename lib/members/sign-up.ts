// Creates members from verified email addresses.

import { randomUUID } from "node:crypto";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { SIGNUP_TTL_MS } from "./cookies.ts";

export const SIGNUP_EXPIRED_MESSAGE = "This sign-up has expired. Log in to continue.";

const RETENTION_MS = HOUR_MS;
const SWEEP_LIMIT = 20;

/**
 * Returns the ID of the member with this lowercase address, or null. Migrated addresses may contain
 * capitals: if several differ only in case, the exact match wins, then the oldest.
 */
export function findMemberId(tx: Tx, email: string): string | null {
  const exact = sqlOf(tx).get<{ id: string }>(`SELECT "id" FROM "User" WHERE "email" = ?`, email);
  return (
    (
      exact ??
      sqlOf(tx).get<{ id: string }>(
        `SELECT "id" FROM "User" WHERE "email" = ? COLLATE NOCASE ORDER BY "createdAt", "id" LIMIT 1`,
        email,
      )
    )?.id ?? null
  );
}

/**
 * Records that this browser verified `email`, and returns the ID for its cookie. Also deletes up to
 * SWEEP_LIMIT expired rows.
 */
export function startSignup(tx: Tx, { email }: { email: string }): { browserId: string } {
  const now = nowMs();
  sqlOf(tx).run(
    `DELETE FROM "PendingSignup" WHERE "browserHash" IN (SELECT "browserHash" FROM "PendingSignup" WHERE "expiresAt" <= ? ORDER BY "expiresAt" LIMIT ${SWEEP_LIMIT})`,
    now - RETENTION_MS,
  );
  const browserId = generateSecret(128);
  sqlOf(tx).run(
    `INSERT INTO "PendingSignup" ("browserHash", "email", "expiresAt") VALUES (?, ?, ?)`,
    hashSecret(browserId),
    email,
    now + SIGNUP_TTL_MS,
  );
  return { browserId };
}

/**
 * Returns the address that this browser verified; null if there is no sign-up, or it is complete or
 * expired.
 */
export function findPendingSignup(
  tx: Tx,
  { browserId }: { browserId: string },
): { email: string } | null {
  return (
    sqlOf(tx).get<{ email: string }>(
      `SELECT "email" FROM "PendingSignup" WHERE "browserHash" = ? AND "expiresAt" > ?`,
      hashSecret(browserId),
      nowMs(),
    ) ?? null
  );
}

/** Escapes Discord's markup (*this*, [that](…)), so that a name is shown as is. */
const escapeDiscordMarkdown = (name: string) => name.replace(/[\\`*_~|<>[\]()#@:]/g, "\\$&");

/**
 * Creates the member whose address this browser verified, and enqueues deliveries to the newsletter
 * and Discord: call triggerDeliveries() after the commit. Throws AppError(conflict) if the sign-up
 * has expired or the address has an account.
 */
export function createMember(
  tx: Tx,
  { browserId, firstName, team }: { browserId: string; firstName: string; team: string },
): { userId: string } {
  const now = nowMs();
  const pending = findPendingSignup(tx, { browserId });
  const { changes } = sqlOf(tx).run(
    `DELETE FROM "PendingSignup" WHERE "browserHash" = ? AND "expiresAt" > ?`,
    hashSecret(browserId),
    now,
  );
  if (!pending || changes !== 1) throw new AppError("conflict", SIGNUP_EXPIRED_MESSAGE);
  const email = pending.email.toLowerCase();
  if (findMemberId(tx, email))
    throw new AppError("conflict", "This email already has an account. Log in instead.");
  const userId = randomUUID();
  sqlOf(tx).run(
    `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "role", "team") VALUES (?, ?, ?, ?, ?, 'MEMBER', ?)`,
    userId,
    now,
    now,
    email,
    firstName,
    team,
  );
  enqueueDelivery(
    tx,
    { kind: "NEWSLETTER", email, firstName },
    { userId, about: "A new member for the newsletter" },
  );
  const teamName = team.charAt(0) + team.slice(1).toLowerCase();
  enqueueDelivery(
    tx,
    { kind: "DISCORD", text: `${escapeDiscordMarkdown(firstName)} joined the ${teamName} team.` },
    { userId, about: "A new member, for Discord" },
  );
  return { userId };
}
