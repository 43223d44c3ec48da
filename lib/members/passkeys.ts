// A member's passkeys: the rows. What a browser sends about them is checked in passkeys-webauthn.ts.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Sql } from "../db/connection.ts";

/** As many devices as anybody has, and few enough to be told to a browser in one request. */
export const MAX_PASSKEYS = 20;

export interface ListedPasskey {
  /** The credential's id, base64url. No secret: the site tells it to any browser that adds another. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** null: never logged in with. */
  readonly lastUsedAt: number | null;
}

export interface Passkey {
  readonly id: string;
  readonly userId: string;
  /** COSE. */
  readonly publicKey: Uint8Array;
  readonly counter: number;
  /** With commas. */
  readonly transports: string;
}

/** The member's passkeys, oldest first. */
export function listPasskeys(sql: Sql, userId: string): ListedPasskey[] {
  return sql.all(
    `SELECT "id", "name", "createdAt", "lastUsedAt" FROM "Passkey" WHERE "userId" = ? ORDER BY "createdAt", "id"`,
    userId,
  );
}

/** What a browser must not add again: the ids of the member's passkeys and how to reach them. Throws AppError(conflict) when they have as many as fit. */
export function listExcludedCredentials(
  sql: Sql,
  userId: string,
): Pick<Passkey, "id" | "transports">[] {
  const known = sql.all<Pick<Passkey, "id" | "transports">>(
    `SELECT "id", "transports" FROM "Passkey" WHERE "userId" = ?`,
    userId,
  );
  if (known.length >= MAX_PASSKEYS)
    throw new AppError(
      "conflict",
      `You have ${MAX_PASSKEYS} passkeys, and more don't fit. Remove one that you no longer use.`,
    );
  return known;
}

/** The passkey with this credential id, whoever's it is; null when there is none. */
export function findPasskey(sql: Sql, id: string): Passkey | null {
  return (
    sql.get<Passkey>(
      `SELECT "id", "userId", "publicKey", "counter", "transports" FROM "Passkey" WHERE "id" = ?`,
      id,
    ) ?? null
  );
}

/** `name`, with a number where the member has a passkey of that name already: "Firefox on Linux 2". */
export function pickPasskeyName(
  sql: Sql,
  { userId, name }: { userId: string; name: string },
): string {
  const taken = new Set(listPasskeys(sql, userId).map((passkey) => passkey.name));
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${name.slice(0, 57)} ${i}`;
  return free;
}

/** Stores a verified passkey of the member. Throws AppError(conflict) when it is stored already or they have as many as fit. */
export function addPasskey(sql: Sql, { name, ...passkey }: Passkey & { name: string }): void {
  listExcludedCredentials(sql, passkey.userId);
  const { changes } = sql.run(
    `INSERT INTO "Passkey" ("id", "userId", "publicKey", "counter", "transports", "name", "createdAt") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    passkey.id,
    passkey.userId,
    passkey.publicKey,
    passkey.counter,
    passkey.transports,
    name,
    nowMs(),
  );
  if (changes === 0) throw new AppError("conflict", "This passkey is stored already.");
}

/**
 * Notes a verified use. Throws AppError(conflict) when the passkey is gone or was used in between (its counter moved):
 * the transaction that logs in by it must not commit then.
 */
export function recordPasskeyUse(sql: Sql, { id, counter }: Passkey, newCounter: number): void {
  const { changes } = sql.run(
    `UPDATE "Passkey" SET "counter" = ?, "lastUsedAt" = ? WHERE "id" = ? AND "counter" = ?`,
    newCounter,
    nowMs(),
    id,
    counter,
  );
  if (changes === 0)
    throw new AppError(
      "conflict",
      "This passkey was used or removed at the same moment. Begin again.",
    );
}

/** Renames one of the member's own. Throws AppError(not_found) for any other. */
export function updatePasskeyName(
  sql: Sql,
  { id, userId, name }: { id: string; userId: string; name: string },
): void {
  if (
    sql.run(`UPDATE "Passkey" SET "name" = ? WHERE "id" = ? AND "userId" = ?`, name, id, userId)
      .changes === 0
  )
    throw createPasskeyNotFoundError();
}

/** Removes one of the member's own: nobody logs in with it any more. Throws AppError(not_found) for any other. */
export function deletePasskey(sql: Sql, { id, userId }: { id: string; userId: string }): void {
  if (sql.run(`DELETE FROM "Passkey" WHERE "id" = ? AND "userId" = ?`, id, userId).changes === 0)
    throw createPasskeyNotFoundError();
}

const createPasskeyNotFoundError = () =>
  new AppError("not_found", "You have no such passkey: it was removed, perhaps in another window.");
