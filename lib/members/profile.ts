// What a member may know and change about themselves.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { singleLineField } from "#lib/core/validate.ts";
import type { Sql } from "../db/connection.ts";

/** A first name: 1 to 60 characters in one line, as at sign-up. */
export const firstNameField = () => singleLineField({ label: "The first name", maxLength: 60 });

export interface Profile {
  readonly email: string;
  readonly createdAt: number;
  readonly calls: number;
  /** Of those calls, the ones that anybody can hear. */
  readonly episodes: number;
}

/** The member's own facts. Throws AppError(not_found) when the account is gone. */
export function getProfile(sql: Sql, userId: string): Profile {
  const profile = sql.get<Profile>(
    `SELECT "email", "createdAt", (SELECT COUNT(*) FROM "Call" WHERE "userId" = "User"."id") AS "calls",
       (SELECT COUNT(*) FROM "Call" JOIN "Episode" ON "Episode"."callId" = "Call"."id" WHERE "Call"."userId" = "User"."id") AS "episodes"
     FROM "User" WHERE "id" = ?`,
    userId,
  );
  if (!profile) throw new AppError("not_found", "This account is gone.");
  return profile;
}

/** Changes the member's first name. What was published under the old one keeps it. */
export function changeFirstName(
  sql: Sql,
  { userId, name }: { userId: string; name: string },
): void {
  sql.run(
    `UPDATE "User" SET "firstName" = ?, "updatedAt" = ? WHERE "id" = ?`,
    name,
    nowMs(),
    userId,
  );
}
