// Inserts a session like the site does, and seals its cookie.

import { randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import { sealData } from "iron-session";
import { DAY_MS } from "#lib/core/clock.ts";
import { sha256 } from "#tests/support/factories.ts";
import { SECRET } from "./site-under-test.ts";

const SESSION_DAYS = 365;

/**
 * Returns the session's cookie. `ageDays` moves the login into the past, in the row and in the
 * cookie.
 */
export async function insertMemberSession(
  db: Database.Database,
  userId: string,
  secret = SECRET,
  { ageDays = 0 } = {},
): Promise<{ name: string; value: string }> {
  const id = randomBytes(32).toString("base64url");
  const startedMs = Date.now() - ageDays * DAY_MS;
  db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  ).run(sha256(id), startedMs, userId, startedMs + SESSION_DAYS * DAY_MS);
  const role = db.prepare(`SELECT "role" FROM "User" WHERE "id" = ?`).pluck().get(userId);
  return {
    name: "session",
    value: await sealData(
      {
        id,
        sealedAtMs: startedMs,
        untilMs: startedMs + SESSION_DAYS * DAY_MS,
        isAdmin: role === "ADMIN",
      },
      { password: secret, ttl: (SESSION_DAYS - ageDays) * (DAY_MS / 1000) },
    ),
  };
}
