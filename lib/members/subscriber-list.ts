// Lists, exports and removes subscribers, for admins.

import { formatCsvRow } from "#lib/core/csv.ts";
import { AppError } from "#lib/core/errors.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { type Member, assertAdmin } from "./member.ts";
import { searchSubscriberIds } from "./search-subscribers.sql.ts";
import { unsubscribe } from "./subscribers.ts";

const LISTED_COUNT = 100;
const EXPORT_BATCH = 1_000;

/**
 * Returns the number of subscribers, and the newest whose address contains `text`. Throws
 * AppError(forbidden) unless `admin` is an admin.
 */
export async function listSubscribers(tx: Tx, admin: Member, text: string) {
  assertAdmin(admin);
  const q = text.trim().toLowerCase().slice(0, 200);
  const subscribers = await tx.subscriber.findMany({
    where: { id: { in: searchSubscriberIds(tx, q, LISTED_COUNT) } },
    select: { id: true, email: true, topics: true, subscribedAt: true },
    orderBy: [{ subscribedAt: "desc" }, { id: "asc" }],
  });
  return {
    total: await tx.subscriber.count(),
    subscribers: subscribers.map(({ topics, ...rest }) => ({
      ...rest,
      topics: JSON.parse(topics) as string[],
    })),
    isTruncated: subscribers.length === LISTED_COUNT,
  };
}

/** Removes a subscriber, with an audit event. Throws AppError(forbidden) and AppError(not_found). */
export async function removeSubscriber(tx: Tx, admin: Member, id: string): Promise<void> {
  assertAdmin(admin);
  const row = await tx.subscriber.findUnique({ where: { id }, select: { email: true } });
  if (!row) throw new AppError("not_found", "This address is no longer subscribed.");
  await unsubscribe(tx, row.email);
  await recordAuditEvent(tx, { actorId: admin.id, action: "subscriber.remove", subjectId: id });
}

/** Yields all subscribers as CSV, in chunks of EXPORT_BATCH rows. The caller checks the role. */
export async function* exportSubscribers(): AsyncGenerator<string, void> {
  yield formatCsvRow(["email", "topics", "subscribed_at"]);
  for (let after = ""; ;) {
    const rows = await read((tx) =>
      tx.subscriber.findMany({
        where: { id: { gt: after } },
        select: { id: true, email: true, topics: true, subscribedAt: true },
        orderBy: { id: "asc" },
        take: EXPORT_BATCH,
      }),
    );
    const last = rows.at(-1);
    if (!last) return;
    yield rows
      .map(({ email, topics, subscribedAt }) => {
        const topicText = (JSON.parse(topics) as string[]).join("; ");
        return formatCsvRow([email, topicText, subscribedAt.toISOString()]);
      })
      .join("");
    after = last.id;
  }
}
