// Reads and inserts the bytes of a part in plain SQL, because Prisma passes bytes as base64.
// Reading a 5 MB recording takes 8 ms instead of 67 ms. Inserting a part takes 9 ms instead of
// 25 ms, during which all other writes wait.

import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

interface PartKey {
  readonly uploadId: string;
  readonly number: number;
}

/** Returns the bytes of a part, or undefined if it is missing. */
export const findPartBytes = (tx: Tx, { uploadId, number }: PartKey): Uint8Array | undefined =>
  sqlOf(tx).get<{ bytes: Uint8Array }>(
    `SELECT "bytes" FROM "UploadPart" WHERE "uploadId" = ? AND "number" = ?`,
    uploadId,
    number,
  )?.bytes;

export function insertPart(
  tx: Tx,
  { uploadId, number, bytes }: PartKey & { readonly bytes: Uint8Array },
): void {
  sqlOf(tx).run(
    `INSERT INTO "UploadPart" ("uploadId", "number", "bytes") VALUES (?, ?, ?)`,
    uploadId,
    number,
    bytes,
  );
}
