// Creates, lists and revokes a member's sessions.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Prisma, Tx } from "#lib/db/database.ts";
import { SESSION_DAYS } from "./cookies.ts";
import type { SessionDevice } from "./describe-device.ts";

const LABEL = "lectern session handle v1";
/**
 * Per member, and more than anyone needs. Each makes a login slower, so without a limit, one member
 * with a passkey could slow down the write queue for everyone.
 */
const MAX_SESSIONS = 1_000;
/** Maximum sessions listed. */
const MAX_LISTED_SESSIONS = 100;

/**
 * Creates a session that lasts 365 days. Deletes the member's expired ones and, above MAX_SESSIONS,
 * those that expire first. Returns the ID for the cookie; the database stores its hash.
 */
export async function createSession(
  tx: Tx,
  userId: string,
  device?: SessionDevice,
): Promise<{ id: string; expiresAtMs: number }> {
  const id = generateSecret(256);
  const createdAt = new Date(nowMs());
  const expiresAtMs = createdAt.getTime() + SESSION_DAYS * DAY_MS;
  await tx.session.deleteMany({ where: { userId, expirationDate: { lte: createdAt } } });
  const surplus = await tx.session.findMany({
    where: { userId },
    orderBy: { expirationDate: "desc" },
    skip: MAX_SESSIONS - 1,
    select: { id: true },
  });
  if (surplus.length > 0)
    await tx.session.deleteMany({ where: { id: { in: surplus.map((row) => row.id) } } });
  await tx.session.create({
    data: {
      id: hashSecret(id),
      createdAt,
      userId,
      expirationDate: new Date(expiresAtMs),
      ...(device && { info: { create: { ...device, lastSeenAt: createdAt } } }),
    },
    select: { id: true },
  });
  return { id, expiresAtMs };
}

/** Returns when the session expires; null if it does not exist or has expired. */
export async function findSessionExpiryMs(tx: Tx, sessionKey: string): Promise<number | null> {
  const session = await tx.session.findUnique({
    where: { id: sessionKey, expirationDate: { gt: new Date(nowMs()) } },
    select: { expirationDate: true },
  });
  return session?.expirationDate.getTime() ?? null;
}

/**
 * Returns the public handle of a session: an HMAC of its key, so that pages don't reveal the key. A
 * rowid would reveal the number of logins, and SQLite may reuse it.
 */
export function createSessionHandle(sessionKey: string): string {
  return signText(LABEL, sessionKey);
}

export interface ListedSession {
  readonly handle: string;
  /** Such as "Firefox on Linux"; null for a migrated session. */
  readonly device: string | null;
  /** The city of the Fly region that received the login, or null. */
  readonly place: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  /** Time of the last write, to within an hour; null for a migrated session. */
  readonly lastSeenAtMs: number | null;
  /** True for the session that sends this request. */
  readonly isCurrent: boolean;
}

const LISTED_COLUMNS = {
  id: true,
  createdAt: true,
  info: { select: { device: true, place: true, startedAt: true, lastSeenAt: true } },
} satisfies Prisma.SessionSelect;
type SessionRow = Prisma.SessionGetPayload<{ select: typeof LISTED_COLUMNS }>;

/** The last activity, or the login of a migrated session. */
const lastActiveMs = ({ createdAt, info }: SessionRow) => (info?.lastSeenAt ?? createdAt).getTime();

/**
 * Returns the member's unexpired sessions, the current one first, the others by last activity.
 * Above MAX_LISTED_SESSIONS, it omits migrated sessions first.
 */
export async function listSessions(
  tx: Tx,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): Promise<ListedSession[]> {
  const where = { userId, expirationDate: { gt: new Date(nowMs()) } };
  const current = await tx.session.findUnique({
    where: { ...where, id: sessionKey },
    select: LISTED_COLUMNS,
  });
  const others = await tx.session.findMany({
    where: { ...where, id: { not: sessionKey } },
    orderBy: [{ info: { lastSeenAt: "desc" } }, { createdAt: "desc" }],
    take: MAX_LISTED_SESSIONS - (current ? 1 : 0),
    select: LISTED_COLUMNS,
  });
  others.sort((a, b) => lastActiveMs(b) - lastActiveMs(a));
  return [...(current ? [current] : []), ...others].map(({ id, createdAt, info }) => ({
    handle: createSessionHandle(id),
    device: info?.device ?? null,
    place: formatRegion(info?.place ?? null),
    startedAtMs: (info?.startedAt ?? createdAt).getTime(),
    lastSeenAtMs: info?.lastSeenAt.getTime() ?? null,
    isCurrent: id === sessionKey,
  }));
}

/**
 * Deletes the member's session with this handle, and their device link, which that session may have
 * created. Throws AppError(not_found).
 */
export async function deleteSession(
  tx: Tx,
  { userId, handle }: { userId: string; handle: string },
): Promise<void> {
  const sessions = await tx.session.findMany({ where: { userId }, select: { id: true } });
  const session = sessions.find(({ id }) => isValidSignature(LABEL, id, handle));
  if (!session) throw new AppError("not_found", "This device is already logged out.");
  await tx.deviceLink.deleteMany({ where: { userId } });
  await tx.session.deleteMany({ where: { id: session.id } });
}

/**
 * Deletes the member's device link and all sessions except this one. Returns the number of deleted
 * sessions.
 */
export async function deleteOtherSessions(
  tx: Tx,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): Promise<number> {
  await tx.deviceLink.deleteMany({ where: { userId } });
  const { count } = await tx.session.deleteMany({ where: { userId, id: { not: sessionKey } } });
  return count;
}

/**
 * Deletes the session with this key and its member's device link. For logging out the current
 * browser.
 */
export async function deleteSessionByKey(tx: Tx, sessionKey: string): Promise<void> {
  const session = await tx.session.findUnique({
    where: { id: sessionKey },
    select: { userId: true },
  });
  if (!session) return;
  await tx.deviceLink.deleteMany({ where: { userId: session.userId } });
  await tx.session.deleteMany({ where: { id: sessionKey } });
}
