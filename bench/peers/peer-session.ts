// Inserts a session for the peers, whose cookie is the session's ID itself.

import { randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import { sha256 } from "#tests/support/factories.ts";
import { DAY_MS } from "#lib/core/clock.ts";

/** Returns the value of the cookie. */
export function insertPeerSession(db: Database.Database, userId: string): string {
  const id = randomBytes(32).toString("base64url");
  const nowMs = Date.now();
  db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  ).run(sha256(id), nowMs, userId, nowMs + 365 * DAY_MS);
  return id;
}
