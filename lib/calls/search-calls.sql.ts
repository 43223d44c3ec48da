// Searches calls in plain SQL, because Prisma's `contains` doesn't escape wildcards: a search for
// "100%" would match "1000". With 10,000 calls, a search takes 16 ms.

import type { CallState } from "#lib/db/column-values.ts";
import type { Tx } from "#lib/db/database.ts";
import { matchText } from "#lib/db/match-text.ts";
import { sqlOf } from "#lib/db/sql.ts";

/**
 * Returns the IDs of the calls in `state` (null: all) that have each of `words` in the title,
 * keywords, description or caller's first name, ordered by their last change.
 */
export function searchCallIds(
  tx: Tx,
  {
    state,
    words,
    order,
  }: { state: CallState | null; words: readonly string[]; order: "asc" | "desc" },
): string[] {
  const { compareTo, patterns } = matchText(words);
  const columns = [`c."title"`, `c."keywords"`, `c."description"`, `u."firstName"`];
  const rows = sqlOf(tx).all<{ id: string }>(
    `SELECT c."id" FROM "CallReview" r JOIN "Call" c ON c."id" = r."callId" JOIN "User" u ON u."id" = c."userId"
     WHERE ${state ? `r."state" = ?` : "TRUE"} AND NOT EXISTS (
       SELECT 1 FROM json_each(?) WHERE NOT (${columns.map((column) => `${column} ${compareTo(`"value"`)}`).join(" OR ")}))
     ORDER BY r."changedAt" ${order}, c."id"`,
    ...(state ? [state] : []),
    JSON.stringify(patterns),
  );
  return rows.map(({ id }) => id);
}
