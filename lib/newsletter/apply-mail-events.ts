// Unsubscribes addresses that bounce or complain.

import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { findSubscriber, unsubscribe } from "#lib/members/subscribers.ts";
import type { MailEvent } from "./mail-events.ts";

/** Returns how many addresses were unsubscribed. Records each, without the address. */
export async function applyMailEvents(tx: Tx, events: readonly MailEvent[]): Promise<number> {
  let count = 0;
  for (const { email, kind } of events) {
    const subscriber = await findSubscriber(tx, email);
    if (!subscriber) continue;
    await unsubscribe(tx, email);
    await recordAuditEvent(tx, {
      actorId: null,
      action: `subscriber.${kind}`,
      subjectId: subscriber.id,
    });
    count += 1;
  }
  return count;
}
