// Stores, lists, renames and deletes passkeys. webauthn.ts verifies the browsers' responses.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Prisma, Tx } from "#lib/db/database.ts";

/** Maximum per member: more than anyone needs, and few enough to list in one request. */
export const MAX_PASSKEYS = 20;

// The ID is no secret: browsers receive it when adding another passkey.
const LISTED_COLUMNS = {
  id: true,
  name: true,
  createdAt: true,
  lastUsedAt: true,
} satisfies Prisma.PasskeySelect;
export type ListedPasskey = Prisma.PasskeyGetPayload<{ select: typeof LISTED_COLUMNS }>;

// The public key is a COSE key (RFC 9052).
const CREDENTIAL_COLUMNS = {
  id: true,
  userId: true,
  publicKey: true,
  counter: true,
  transports: true,
} satisfies Prisma.PasskeySelect;
export type Passkey = Prisma.PasskeyGetPayload<{ select: typeof CREDENTIAL_COLUMNS }>;

/** Returns the member's passkeys, oldest first. */
export function listPasskeys(tx: Tx, userId: string): Promise<ListedPasskey[]> {
  return tx.passkey.findMany({
    where: { userId },
    orderBy: [{ createdAt: "asc" }, { id: "asc" }],
    select: LISTED_COLUMNS,
  });
}

/**
 * Returns the member's passkeys, so that a browser does not add one twice. Throws
 * AppError(conflict) if there are MAX_PASSKEYS.
 */
export async function listExcludedCredentials(
  tx: Tx,
  userId: string,
): Promise<Pick<Passkey, "id" | "transports">[]> {
  const credentials = await tx.passkey.findMany({
    where: { userId },
    select: { id: true, transports: true },
  });
  if (credentials.length >= MAX_PASSKEYS)
    throw new AppError(
      "conflict",
      `You've reached the limit of ${MAX_PASSKEYS} passkeys. Remove one that you no longer use.`,
    );
  return credentials;
}

/** Returns the passkey with this credential ID, of any member, or null. */
export function findPasskey(tx: Tx, id: string): Promise<Passkey | null> {
  return tx.passkey.findUnique({ where: { id }, select: CREDENTIAL_COLUMNS });
}

/**
 * Returns `name`, with a number if the member already has a passkey of that name: "Firefox on Linux
 * 2".
 */
export async function pickPasskeyName(
  tx: Tx,
  { userId, name }: { userId: string; name: string },
): Promise<string> {
  const passkeys = await tx.passkey.findMany({ where: { userId }, select: { name: true } });
  const taken = new Set(passkeys.map((passkey) => passkey.name));
  let unique = name;
  for (let i = 2; taken.has(unique); i++) unique = `${name.slice(0, 57)} ${i}`;
  return unique;
}

/**
 * Stores a verified passkey. Throws AppError(conflict) if it is already stored or the member has
 * MAX_PASSKEYS.
 */
export async function addPasskey(tx: Tx, passkey: Passkey & { name: string }): Promise<void> {
  await listExcludedCredentials(tx, passkey.userId);
  if (await tx.passkey.findUnique({ where: { id: passkey.id }, select: { id: true } }))
    throw new AppError("conflict", "You already have this passkey.");
  await tx.passkey.create({
    data: { ...passkey, createdAt: new Date(nowMs()) },
    select: { id: true },
  });
}

/**
 * Records a verified use. Throws AppError(conflict) if the passkey was removed or its counter has
 * changed since it was read (optimistic lock); the login's transaction must then roll back.
 */
export async function recordPasskeyUse(
  tx: Tx,
  { id, counter }: Passkey,
  newCounter: number,
): Promise<void> {
  const { count } = await tx.passkey.updateMany({
    where: { id, counter },
    data: { counter: newCounter, lastUsedAt: new Date(nowMs()) },
  });
  if (count === 0)
    throw new AppError("conflict", "This passkey was just used or removed. Please try again.");
}

/**
 * Renames one of the member's passkeys. Throws AppError(not_found) if they have no such passkey.
 */
export async function updatePasskeyName(
  tx: Tx,
  { id, userId, name }: { id: string; userId: string; name: string },
): Promise<void> {
  const { count } = await tx.passkey.updateMany({ where: { id, userId }, data: { name } });
  if (count === 0) throw createPasskeyNotFoundError();
}

/**
 * Deletes one of the member's passkeys. Throws AppError(not_found) if they have no such passkey.
 */
export async function deletePasskey(
  tx: Tx,
  { id, userId }: { id: string; userId: string },
): Promise<void> {
  const { count } = await tx.passkey.deleteMany({ where: { id, userId } });
  if (count === 0) throw createPasskeyNotFoundError();
}

const createPasskeyNotFoundError = () =>
  new AppError("not_found", "This passkey has already been removed.");
