// Creates and consumes the links in QR codes that log a member in on another device.

import { SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { NOT_A_LOGIN } from "#lib/members/member.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import type { Tx } from "#lib/db/database.ts";

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
export async function createDeviceLink(
  tx: Tx,
  userId: string,
): Promise<{ token: string; expiresAtMs: number }> {
  const token = generateSecret(128);
  const expiresAtMs = nowMs() + DEVICE_LINK_TTL_MS;
  await tx.deviceLink.deleteMany({ where: { userId } });
  await tx.deviceLink.create({
    data: { tokenHash: hashSecret(token), userId, expiresAt: new Date(expiresAtMs) },
    select: { tokenHash: true },
  });
  return { token, expiresAtMs };
}

const validLinkFilter = (token: string) => ({
  tokenHash: hashSecret(token),
  usedAt: null,
  expiresAt: { gt: new Date(nowMs()) },
});

export interface DeviceLink {
  readonly userId: string;
  readonly firstName: string;
  readonly expiresAtMs: number;
}

/**
 * Returns the link with this token; null if it was used, was invalidated, has expired or never
 * existed. Changes nothing.
 */
export async function findDeviceLink(tx: Tx, token: string): Promise<DeviceLink | null> {
  const link = await tx.deviceLink.findUnique({
    where: validLinkFilter(token),
    select: { expiresAt: true, user: { select: { id: true, firstName: true } } },
  });
  return (
    link && {
      userId: link.user.id,
      firstName: link.user.firstName,
      expiresAtMs: link.expiresAt.getTime(),
    }
  );
}

/**
 * Consumes the link and returns the member it logs in. Throws AppError(conflict) if it is not
 * valid; of concurrent calls, only one succeeds.
 */
export async function consumeDeviceLink(tx: Tx, token: string): Promise<{ userId: string }> {
  const [link] = await tx.deviceLink.updateManyAndReturn({
    where: validLinkFilter(token),
    data: { usedAt: new Date(nowMs()) },
    select: { userId: true },
  });
  if (!link)
    throw new AppError(
      "conflict",
      "This code was used or has expired. Show a new one on the other device.",
    );
  return link;
}

/**
 * Marks a session as NOT_A_LOGIN; SessionInfo keeps the real time. Otherwise, someone at an
 * unattended device could get a recent login from its own QR code, then delete the account or add a
 * passkey.
 */
export async function markLoginNotRecent(tx: Tx, sessionKey: string): Promise<void> {
  const session = await tx.session.findUnique({
    where: { id: sessionKey },
    select: { createdAt: true },
  });
  if (!session) return;
  await tx.sessionInfo.updateMany({
    where: { sessionId: sessionKey, startedAt: null },
    data: { startedAt: session.createdAt },
  });
  await tx.session.update({ where: { id: sessionKey }, data: { createdAt: NOT_A_LOGIN } });
}
