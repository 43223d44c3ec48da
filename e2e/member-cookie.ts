// A session row and its cookie, made the way the site makes them, with the secret of the site under test.

import { createHash, randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import { sealData } from "iron-session";
import { SECRET } from "./ports.ts";

const DAYS_MS = 365 * 86_400_000;

export async function memberCookie(db: Database.Database, userId: string, secret = SECRET): Promise<{ name: string; value: string }> {
  const id = randomBytes(32).toString("base64url");
  db.prepare(`INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`).run(createHash("sha256").update(id).digest("hex"), Date.now(), userId, Date.now() + DAYS_MS);
  return { name: "session", value: await sealData({ id }, { password: secret, ttl: DAYS_MS / 1000 }) };
}
