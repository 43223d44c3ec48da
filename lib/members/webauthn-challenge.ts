// Links the two requests of a WebAuthn ceremony with a challenge that works once, for five minutes.
// The challenge is in a signed cookie, so that a page can request it without a write.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Tx } from "#lib/db/database.ts";

const LABEL = "lectern passkey challenge v1";
export const CEREMONY_TTL_MS = 5 * MINUTE_MS;
/**
 * A ceremony with more time left continues, so that the tabs of a browser don't replace each
 * other's.
 */
const MIN_REMAINING_MS = 3 * MINUTE_MS;
const COOKIE_PATTERN = /^([\w-]{43})\.([0-9a-z]{1,11})\.([\w-]{43})$/;

export interface Ceremony {
  /** The cookie's value: challenge, expiry and signature. */
  readonly cookie: string;
  /** 256 random bits, base64url. */
  readonly challenge: string;
  readonly expiresAtMs: number;
}

/** Starts a ceremony: registration for the member `userId`, or login if it is null. */
export function startCeremony(userId: string | null): Ceremony {
  const challenge = generateSecret(256);
  const expiresAtMs = nowMs() + CEREMONY_TTL_MS;
  const text = `${challenge}.${expiresAtMs.toString(36)}`;
  return {
    cookie: `${text}.${signText(LABEL, `${text}.${userId ?? ""}`)}`,
    challenge,
    expiresAtMs,
  };
}

/** Returns the unexpired ceremony in `cookie`; null unless this site signed it for `userId`. */
function openCeremony(cookie: string | undefined, userId: string | null): Ceremony | null {
  const [, challenge, expires, signature] = COOKIE_PATTERN.exec(cookie ?? "") ?? [];
  if (!cookie || !challenge || !expires || !signature) return null;
  const expiresAtMs = Number.parseInt(expires, 36);
  const isValid =
    isValidSignature(LABEL, `${challenge}.${expires}.${userId ?? ""}`, signature) &&
    nowMs() < expiresAtMs;
  return isValid ? { cookie, challenge, expiresAtMs } : null;
}

/**
 * Returns the ceremony in `cookie` if it is unused and valid for three more minutes; otherwise a
 * new one.
 */
export async function continueCeremony(
  tx: Tx,
  { cookie, userId }: { cookie: string | undefined; userId: string | null },
): Promise<Ceremony> {
  const current = openCeremony(cookie, userId);
  if (!current || current.expiresAtMs - nowMs() < MIN_REMAINING_MS) return startCeremony(userId);
  const used = await tx.passkeyChallenge.findUnique({
    where: { browserHash: hashSecret(current.cookie) },
    select: { browserHash: true },
  });
  return used ? startCeremony(userId) : current;
}

/**
 * Consumes and returns the challenge of this browser and member (`userId` is null for a login).
 * Commit the transaction even if verification fails, because an attempt consumes its challenge.
 * Throws AppError(conflict) if there is no challenge, or it was used or has expired.
 */
export async function consumeCeremonyChallenge(
  tx: Tx,
  { cookie, userId }: { cookie: string | undefined; userId: string | null },
): Promise<string> {
  const ceremony = openCeremony(cookie, userId);
  if (!ceremony) throw createExpiredError();
  const browserHash = hashSecret(ceremony.cookie);
  if (await tx.passkeyChallenge.findUnique({ where: { browserHash }, select: { userId: true } }))
    throw createExpiredError();
  const { challenge, expiresAtMs } = ceremony;
  await tx.passkeyChallenge.deleteMany({ where: { expiresAt: { lte: new Date(nowMs()) } } });
  await tx.passkeyChallenge.create({
    data: { browserHash, challenge, userId, expiresAt: new Date(expiresAtMs) },
    select: { browserHash: true },
  });
  return challenge;
}

const createExpiredError = () => new AppError("conflict", "That took too long. Please try again.");
