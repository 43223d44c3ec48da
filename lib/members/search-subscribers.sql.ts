// Searches subscribers in plain SQL, because Prisma's `contains` doesn't escape wildcards: a search
// for "a_b" would find "a.b".

import type { Tx } from "#lib/db/database.ts";
import { matchText } from "#lib/db/match-text.ts";
import { sqlOf } from "#lib/db/sql.ts";

/** Returns the IDs of the newest subscribers whose address contains `text`, ignoring case. */
export function searchSubscriberIds(tx: Tx, text: string, limit: number): string[] {
  const { compareTo, patterns } = matchText([text]);
  return sqlOf(tx)
    .all<{ id: string }>(
      `SELECT "id" FROM "Subscriber" WHERE "email" ${compareTo("?")} ORDER BY "subscribedAt" DESC, "id" LIMIT ?`,
      ...patterns,
      limit,
    )
    .map(({ id }) => id);
}
