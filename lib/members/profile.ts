// Reads and changes a member's own profile.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { singleLineField } from "#lib/core/validate.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

/** A field of 1 to 60 characters on one line. */
export const firstNameField = () => singleLineField({ label: "The first name", maxLength: 60 });

export interface Profile {
  readonly email: string;
  readonly createdAt: number;
  readonly callCount: number;
  /** Number of published calls. */
  readonly episodeCount: number;
}

/** Returns the member's profile. Throws AppError(not_found) if the account was deleted. */
export function getProfile(tx: Tx, userId: string): Profile {
  const profile = sqlOf(tx).get<Profile>(
    `SELECT "email", "createdAt", (SELECT COUNT(*) FROM "Call" WHERE "userId" = "User"."id") AS "callCount",
       (SELECT COUNT(*) FROM "Call" JOIN "Episode" ON "Episode"."callId" = "Call"."id" WHERE "Call"."userId" = "User"."id") AS "episodeCount"
     FROM "User" WHERE "id" = ?`,
    userId,
  );
  if (!profile) throw new AppError("not_found", "This account has been deleted.");
  return profile;
}

/** Changes the member's first name. Published episodes keep the old one. */
export function changeFirstName(tx: Tx, { userId, name }: { userId: string; name: string }): void {
  sqlOf(tx).run(
    `UPDATE "User" SET "firstName" = ?, "updatedAt" = ? WHERE "id" = ?`,
    name,
    nowMs(),
    userId,
  );
}
