// Inserts an issue's recipients in plain SQL: Prisma has no INSERT … SELECT, and inserting 10,000 rows
// with it blocks the write queue for seconds.

import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

/** Subscribers who chose one of the topics in a JSON array, or no topics. */
const WANTS_TOPICS = `"topics" = '[]' OR EXISTS (
  SELECT 1 FROM json_each("Subscriber"."topics") AS "chosen" JOIN json_each(?) AS "post" ON "chosen"."value" = "post"."value"
)`;

/**
 * Inserts a delivery for each subscriber who chose one of `topics`, or no topics, and returns their
 * number. Repeating it adds no one twice.
 */
export function insertRecipients(
  tx: Tx,
  { issueId, topics, nowMs }: { issueId: number; topics: readonly string[]; nowMs: number },
): number {
  return sqlOf(tx).run(
    `INSERT INTO "NewsletterDelivery" ("issueId", "subscriberId", "nextTryAt")
     SELECT ?, "id", ? FROM "Subscriber" WHERE ${WANTS_TOPICS} ON CONFLICT DO NOTHING`,
    issueId,
    nowMs,
    JSON.stringify(topics),
  ).changes;
}

/** Returns the number of subscribers who would get a post with these topics. */
export function countRecipients(tx: Tx, topics: readonly string[]): number {
  return sqlOf(tx).get<{ count: number }>(
    `SELECT COUNT(*) AS "count" FROM "Subscriber" WHERE ${WANTS_TOPICS}`,
    JSON.stringify(topics),
  )!.count;
}
