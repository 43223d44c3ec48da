// The QR code that logs a member in on another device: one use, shown for fifteen seconds, good for a minute.

import { createHash, randomBytes } from "node:crypto";
import { SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { RECENT_LOGIN_MS } from "#lib/core/member.ts";
import type { Sql } from "../db/connection.ts";

/** Long enough to scan in the last shown second, and to read and press the button on the other device. */
export const DEVICE_LINK_TTL_MS = 60 * SECOND_MS;
/** reference.md: the code is shown for 15 s. */
export const DEVICE_LINK_DISPLAY_MS = 15 * SECOND_MS;

const hashToken = (token: string) => createHash("sha256").update(token).digest("hex");

/** Makes a code of the member's and voids every earlier one. Returns its token, 128 random bits in base64url; only its hash is stored. */
export function createDeviceLink(sql: Sql, userId: string): { token: string; expiresAtMs: number } {
  const token = randomBytes(16).toString("base64url");
  const expiresAtMs = nowMs() + DEVICE_LINK_TTL_MS;
  sql.run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  sql.run(
    `INSERT INTO "DeviceLink" ("tokenHash", "userId", "expiresAt") VALUES (?, ?, ?)`,
    hashToken(token),
    userId,
    expiresAtMs,
  );
  return { token, expiresAtMs };
}

export interface DeviceLink {
  readonly userId: string;
  readonly firstName: string;
  readonly expiresAtMs: number;
}

/** The code with this token while it is good; null when it was used, voided, has expired or never was. Changes nothing. */
export function findDeviceLink(sql: Sql, token: string): DeviceLink | null {
  return (
    sql.get<DeviceLink>(
      `SELECT "userId", "firstName", "expiresAt" AS "expiresAtMs" FROM "DeviceLink" JOIN "User" ON "User"."id" = "userId" WHERE "tokenHash" = ? AND "usedAt" IS NULL AND "expiresAt" > ?`,
      hashToken(token),
      nowMs(),
    ) ?? null
  );
}

/** Uses the code up and returns whom it logs in. Throws AppError(conflict) when it is not good any more: of two at once one gets it. */
export function consumeDeviceLink(sql: Sql, token: string): { userId: string } {
  const { changes } = sql.run(
    `UPDATE "DeviceLink" SET "usedAt" = ? WHERE "tokenHash" = ? AND "usedAt" IS NULL AND "expiresAt" > ?`,
    nowMs(),
    hashToken(token),
    nowMs(),
  );
  const link =
    changes === 1
      ? sql.get<{ userId: string }>(
          `SELECT "userId" FROM "DeviceLink" WHERE "tokenHash" = ?`,
          hashToken(token),
        )
      : undefined;
  if (!link)
    throw new AppError(
      "conflict",
      "This code has expired or was used already. Show a new one on the other device.",
    );
  return link;
}

/**
 * Makes a session that a code began no recent log-in. The code itself asks for none, and nobody proved anew who they are: else a
 * session left open somewhere could, by way of its own code, delete the account or add a passkey. When it began is kept for the list.
 */
export function markLoginNotRecent(sql: Sql, sessionKey: string): void {
  sql.run(
    `UPDATE "SessionInfo" SET "begunAt" = (SELECT "createdAt" FROM "Session" WHERE "id" = "sessionId") WHERE "sessionId" = ? AND "begunAt" IS NULL`,
    sessionKey,
  );
  sql.run(
    `UPDATE "Session" SET "createdAt" = MIN("createdAt", ?) WHERE "id" = ?`,
    nowMs() - RECENT_LOGIN_MS,
    sessionKey,
  );
}
