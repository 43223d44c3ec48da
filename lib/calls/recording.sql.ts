// Finds which calls have a recording, in plain SQL, because octet_length() reads only the row
// header. Prisma's `base64: { not: "" }` reads the whole column. For 200 calls, half of them with a
// 1 MB recording from the source site, it takes 87 ms instead of 0.3 ms.

import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

/** Returns the IDs of those calls that have a recording. The others are typed or don't exist. */
export function findRecordedCallIds(tx: Tx, callIds: readonly string[]): Set<string> {
  const rows = sqlOf(tx).all<{ id: string }>(
    `SELECT c."id" FROM json_each(?) JOIN "Call" c ON c."id" = "value"
     WHERE octet_length(c."base64") > 0
       OR EXISTS (SELECT 1 FROM "Upload" WHERE "callId" = c."id" AND "contentType" IS NOT NULL)`,
    JSON.stringify(callIds),
  );
  return new Set(rows.map(({ id }) => id));
}
