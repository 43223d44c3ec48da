// From an address that was proven to a member: who has it already, and who becomes one.

import { randomBytes, randomUUID } from "node:crypto";
import { HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Sql } from "../db/connection.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { hashSecret } from "./login-challenge.ts";

/** How long somebody may think about a name and a team. */
export const SIGNUP_TTL_MS = 30 * MINUTE_MS;

const RETENTION_MS = HOUR_MS;
const SWEEP_LIMIT = 20;

/**
 * The member whom mail to `email` (in lower case) reaches, or null. An address moved in from elsewhere may have capitals:
 * where several differ by nothing else, the exact one, else the oldest.
 */
export function findMemberId(sql: Sql, email: string): string | null {
  const exact = sql.get<{ id: string }>(`SELECT "id" FROM "User" WHERE "email" = ?`, email);
  return (
    (
      exact ??
      sql.get<{ id: string }>(
        `SELECT "id" FROM "User" WHERE "email" = ? COLLATE NOCASE ORDER BY "createdAt", "id" LIMIT 1`,
        email,
      )
    )?.id ?? null
  );
}

/** Notes that this browser proved `email`, which is nobody's yet. Returns the id for its cookie. Also sweeps some old rows. */
export function startSignup(sql: Sql, { email }: { email: string }): { browserId: string } {
  const now = nowMs();
  sql.run(
    `DELETE FROM "PendingSignup" WHERE "browserHash" IN (SELECT "browserHash" FROM "PendingSignup" WHERE "expiresAt" <= ? ORDER BY "expiresAt" LIMIT ${SWEEP_LIMIT})`,
    now - RETENTION_MS,
  );
  const browserId = randomBytes(16).toString("base64url");
  sql.run(
    `INSERT INTO "PendingSignup" ("browserHash", "email", "expiresAt") VALUES (?, ?, ?)`,
    hashSecret(browserId),
    email,
    now + SIGNUP_TTL_MS,
  );
  return { browserId };
}

/** The address that this browser proved and has not signed up with yet; null when there is none or it took too long. Changes nothing. */
export function findPendingSignup(
  sql: Sql,
  { browserId }: { browserId: string },
): { email: string } | null {
  return (
    sql.get<{ email: string }>(
      `SELECT "email" FROM "PendingSignup" WHERE "browserHash" = ? AND "expiresAt" > ?`,
      hashSecret(browserId),
      nowMs(),
    ) ?? null
  );
}

/** Discord reads *this* and [that](…) as markup; a name is a name. */
const escapeDiscordMarkdown = (name: string) => name.replace(/[\\`*_~|<>[\]()#@:]/g, "\\$&");

/**
 * Makes the member whose address this browser proved, and uses the proof up; the newsletter and Discord are told after the
 * commit (kickDeliveries). `firstName` and `team` are checked by whoever calls. Throws AppError(conflict) when the sign-up is
 * finished or has expired, or when the address has become a member's meanwhile; then nothing is written.
 */
export function createMember(
  sql: Sql,
  { browserId, firstName, team }: { browserId: string; firstName: string; team: string },
): { userId: string } {
  const now = nowMs();
  const browserHash = hashSecret(browserId);
  const pending = findPendingSignup(sql, { browserId });
  const { changes } = sql.run(
    `DELETE FROM "PendingSignup" WHERE "browserHash" = ? AND "expiresAt" > ?`,
    browserHash,
    now,
  );
  if (!pending || changes !== 1)
    throw new AppError(
      "conflict",
      "This sign-up is finished or took too long. Log in with your address to go on.",
    );
  const email = pending.email.toLowerCase();
  if (findMemberId(sql, email))
    throw new AppError("conflict", "This address belongs to a member by now. Log in with it.");
  const userId = randomUUID();
  sql.run(
    `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "role", "team") VALUES (?, ?, ?, ?, ?, 'MEMBER', ?)`,
    userId,
    now,
    now,
    email,
    firstName,
    team,
  );
  enqueueDelivery(
    sql,
    { kind: "NEWSLETTER", email, firstName },
    { userId, about: "A new member for the newsletter" },
  );
  const teamName = team.charAt(0) + team.slice(1).toLowerCase();
  enqueueDelivery(
    sql,
    { kind: "DISCORD", text: `${escapeDiscordMarkdown(firstName)} joined the ${teamName} team.` },
    { userId, about: "A new member, for Discord" },
  );
  return { userId };
}
