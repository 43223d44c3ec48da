// Stores, lists, renames and deletes passkeys. webauthn.ts verifies the browsers' responses.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

/** More than anyone needs, and few enough to list in one request. */
export const MAX_PASSKEYS = 20;

export interface ListedPasskey {
  /**
   * The credential ID, base64url. Not a secret: browsers receive it when adding another passkey.
   */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** null if never used. */
  readonly lastUsedAt: number | null;
}

export interface Passkey {
  readonly id: string;
  readonly userId: string;
  /** COSE key (RFC 9052). */
  readonly publicKey: Uint8Array;
  readonly counter: number;
  /** Comma-separated WebAuthn transports. */
  readonly transports: string;
}

/** Returns the member's passkeys, oldest first. */
export function listPasskeys(tx: Tx, userId: string): ListedPasskey[] {
  return sqlOf(tx).all(
    `SELECT "id", "name", "createdAt", "lastUsedAt" FROM "Passkey" WHERE "userId" = ? ORDER BY "createdAt", "id"`,
    userId,
  );
}

/**
 * Returns the member's passkeys, so that a browser does not add one twice. Throws
 * AppError(conflict) if there are MAX_PASSKEYS.
 */
export function listExcludedCredentials(
  tx: Tx,
  userId: string,
): Pick<Passkey, "id" | "transports">[] {
  const credentials = sqlOf(tx).all<Pick<Passkey, "id" | "transports">>(
    `SELECT "id", "transports" FROM "Passkey" WHERE "userId" = ?`,
    userId,
  );
  if (credentials.length >= MAX_PASSKEYS)
    throw new AppError(
      "conflict",
      `You've reached the limit of ${MAX_PASSKEYS} passkeys. Remove one that you no longer use.`,
    );
  return credentials;
}

/** Returns the passkey with this credential ID, of any member; null if there is none. */
export function findPasskey(tx: Tx, id: string): Passkey | null {
  return (
    sqlOf(tx).get<Passkey>(
      `SELECT "id", "userId", "publicKey", "counter", "transports" FROM "Passkey" WHERE "id" = ?`,
      id,
    ) ?? null
  );
}

/**
 * Returns `name`, with a number if the member already has a passkey of that name: "Firefox on Linux
 * 2".
 */
export function pickPasskeyName(
  tx: Tx,
  { userId, name }: { userId: string; name: string },
): string {
  const taken = new Set(listPasskeys(tx, userId).map((passkey) => passkey.name));
  let unique = name;
  for (let i = 2; taken.has(unique); i++) unique = `${name.slice(0, 57)} ${i}`;
  return unique;
}

/**
 * Stores a verified passkey. Throws AppError(conflict) if it is already stored or the member has
 * MAX_PASSKEYS.
 */
export function addPasskey(tx: Tx, { name, ...passkey }: Passkey & { name: string }): void {
  listExcludedCredentials(tx, passkey.userId);
  const { changes } = sqlOf(tx).run(
    `INSERT INTO "Passkey" ("id", "userId", "publicKey", "counter", "transports", "name", "createdAt") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    passkey.id,
    passkey.userId,
    passkey.publicKey,
    passkey.counter,
    passkey.transports,
    name,
    nowMs(),
  );
  if (changes === 0) throw new AppError("conflict", "You already have this passkey.");
}

/**
 * Records a verified use. Throws AppError(conflict) if the passkey was removed or its counter has
 * changed since it was read (optimistic lock); the login's transaction must then roll back.
 */
export function recordPasskeyUse(tx: Tx, { id, counter }: Passkey, newCounter: number): void {
  const { changes } = sqlOf(tx).run(
    `UPDATE "Passkey" SET "counter" = ?, "lastUsedAt" = ? WHERE "id" = ? AND "counter" = ?`,
    newCounter,
    nowMs(),
    id,
    counter,
  );
  if (changes === 0)
    throw new AppError("conflict", "This passkey was just used or removed. Please try again.");
}

/**
 * Renames one of the member's passkeys. Throws AppError(not_found) if they have no such passkey.
 */
export function updatePasskeyName(
  tx: Tx,
  { id, userId, name }: { id: string; userId: string; name: string },
): void {
  if (
    sqlOf(tx).run(
      `UPDATE "Passkey" SET "name" = ? WHERE "id" = ? AND "userId" = ?`,
      name,
      id,
      userId,
    ).changes === 0
  )
    throw createPasskeyNotFoundError();
}

/**
 * Deletes one of the member's passkeys. Throws AppError(not_found) if they have no such passkey.
 */
export function deletePasskey(tx: Tx, { id, userId }: { id: string; userId: string }): void {
  if (
    sqlOf(tx).run(`DELETE FROM "Passkey" WHERE "id" = ? AND "userId" = ?`, id, userId).changes === 0
  )
    throw createPasskeyNotFoundError();
}

const createPasskeyNotFoundError = () =>
  new AppError("not_found", "This passkey has already been removed.");
