// A session row and its cookie, made the way the site makes them, with the secret of the site under test.

import { createHash, randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import { sealData } from "iron-session";
import { SECRET } from "./site-under-test.ts";

const DAY_MS = 86_400_000;
const SESSION_DAYS = 365;

/** `ageDays`: as if the log-in had been that long ago, row and cookie. */
export async function insertMemberSession(
  db: Database.Database,
  userId: string,
  secret = SECRET,
  { ageDays = 0 } = {},
): Promise<{ name: string; value: string }> {
  const id = randomBytes(32).toString("base64url");
  const beganAtMs = Date.now() - ageDays * DAY_MS;
  db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  ).run(
    createHash("sha256").update(id).digest("hex"),
    beganAtMs,
    userId,
    beganAtMs + SESSION_DAYS * DAY_MS,
  );
  return {
    name: "session",
    value: await sealData(
      { id, sealedAtMs: beganAtMs, untilMs: beganAtMs + SESSION_DAYS * DAY_MS },
      { password: secret, ttl: (SESSION_DAYS - ageDays) * (DAY_MS / 1000) },
    ),
  };
}
