// Searches subscribers in plain SQL, because Prisma's `contains` doesn't escape LIKE wildcards: a
// search for "a_b" would find "a.b".

import type { Tx } from "#lib/db/database.ts";
import { escapeLikePattern } from "#lib/db/escape-like-pattern.ts";
import { sqlOf } from "#lib/db/sql.ts";

/** Returns the IDs of the newest subscribers whose address contains `text`, in lowercase. */
export const searchSubscriberIds = (tx: Tx, text: string, limit: number): string[] =>
  sqlOf(tx)
    .all<{ id: string }>(
      `SELECT "id" FROM "Subscriber" WHERE "email" LIKE ? ESCAPE '\\' ORDER BY "subscribedAt" DESC, "id" LIMIT ?`,
      escapeLikePattern(text),
      limit,
    )
    .map(({ id }) => id);
