// Creates and consumes the links in QR codes that log a member in on another device.

import { SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { RECENT_LOGIN_MS } from "#lib/members/member.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

/**
 * Enough time to scan the code in its last visible second, then read the page and tap the button on
 * the other device.
 */
export const DEVICE_LINK_TTL_MS = 60 * SECOND_MS;
/** How long the page shows the code. */
export const DEVICE_LINK_DISPLAY_MS = 15 * SECOND_MS;

/**
 * Creates a link and invalidates the member's previous one. Returns its token (128 bits,
 * base64url); the database stores the hash.
 */
export function createDeviceLink(tx: Tx, userId: string): { token: string; expiresAtMs: number } {
  const token = generateSecret(128);
  const expiresAtMs = nowMs() + DEVICE_LINK_TTL_MS;
  sqlOf(tx).run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  sqlOf(tx).run(
    `INSERT INTO "DeviceLink" ("tokenHash", "userId", "expiresAt") VALUES (?, ?, ?)`,
    hashSecret(token),
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

/**
 * Returns the link with this token; null if it was used, invalidated, has expired or never existed.
 * Changes nothing.
 */
export function findDeviceLink(tx: Tx, token: string): DeviceLink | null {
  return (
    sqlOf(tx).get<DeviceLink>(
      `SELECT "userId", "firstName", "expiresAt" AS "expiresAtMs" FROM "DeviceLink" JOIN "User" ON "User"."id" = "userId" WHERE "tokenHash" = ? AND "usedAt" IS NULL AND "expiresAt" > ?`,
      hashSecret(token),
      nowMs(),
    ) ?? null
  );
}

/**
 * Consumes the link and returns the member it logs in. Throws AppError(conflict) if it is not
 * valid; of concurrent calls, only one succeeds.
 */
export function consumeDeviceLink(tx: Tx, token: string): { userId: string } {
  const tokenHash = hashSecret(token);
  const { changes } = sqlOf(tx).run(
    `UPDATE "DeviceLink" SET "usedAt" = ? WHERE "tokenHash" = ? AND "usedAt" IS NULL AND "expiresAt" > ?`,
    nowMs(),
    tokenHash,
    nowMs(),
  );
  const link =
    changes === 1
      ? sqlOf(tx).get<{ userId: string }>(
          `SELECT "userId" FROM "DeviceLink" WHERE "tokenHash" = ?`,
          tokenHash,
        )
      : undefined;
  if (!link)
    throw new AppError(
      "conflict",
      "This code was used or has expired. Show a new one on the other device.",
    );
  return link;
}

/**
 * Backdates a session's login, so that it does not count as recent; SessionInfo keeps the real
 * time. Otherwise, someone at an unattended device could get a recent login from its own QR code,
 * then delete the account or add a passkey.
 */
export function markLoginNotRecent(tx: Tx, sessionKey: string): void {
  sqlOf(tx).run(
    `UPDATE "SessionInfo" SET "begunAt" = (SELECT "createdAt" FROM "Session" WHERE "id" = "sessionId") WHERE "sessionId" = ? AND "begunAt" IS NULL`,
    sessionKey,
  );
  sqlOf(tx).run(
    `UPDATE "Session" SET "createdAt" = MIN("createdAt", ?) WHERE "id" = ?`,
    nowMs() - RECENT_LOGIN_MS,
    sessionKey,
  );
}
