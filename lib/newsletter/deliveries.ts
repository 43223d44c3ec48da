// Stores the state of each recipient's delivery, before or after the matching SMTP step, so that
// the site knows after a crash which emails may have been sent (docs/decisions/055).

import { HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import type { SendResult } from "#lib/outbound/mail/smtp-session.ts";

/** Backoff after a temporary refusal; after the last, the delivery has failed. */
const RETRY_DELAYS_MS = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS];

export interface PendingDelivery {
  readonly issueId: number;
  readonly subscriberId: string;
  readonly tries: number;
  /** Null if the recipient has unsubscribed. */
  readonly email: string | null;
}

/** Returns up to `limit` due deliveries of an issue, or none if it was stopped. */
export async function listDueDeliveries(
  tx: Tx,
  issueId: number,
  limit: number,
): Promise<PendingDelivery[]> {
  const rows = await tx.newsletterDelivery.findMany({
    where: {
      issueId,
      state: "PENDING",
      nextTryAt: { lte: new Date(nowMs()) },
      issue: { state: "SENDING" },
    },
    select: { issueId: true, subscriberId: true, tries: true },
    orderBy: { nextTryAt: "asc" },
    take: limit,
  });
  const subscribers = await tx.subscriber.findMany({
    where: { id: { in: rows.map(({ subscriberId }) => subscriberId) } },
    select: { id: true, email: true },
  });
  const emails = new Map(subscribers.map(({ id, email }) => [id, email]));
  return rows.map((row) => ({ ...row, email: emails.get(row.subscriberId) ?? null }));
}

/**
 * Records that the message is about to be sent. Returns false if it must not be: the issue was
 * canceled, the recipient has unsubscribed, or the delivery is not pending. The commit must be
 * durable: a standby without it would send the message again.
 */
export async function markSending(tx: Tx, delivery: PendingDelivery): Promise<boolean> {
  const { issueId, subscriberId } = delivery;
  const subscriber = await tx.subscriber.count({ where: { id: subscriberId } });
  if (subscriber === 0) {
    await tx.newsletterDelivery.deleteMany({ where: { issueId, subscriberId, state: "PENDING" } });
    return false;
  }
  const { count } = await tx.newsletterDelivery.updateMany({
    where: { issueId, subscriberId, state: "PENDING", issue: { state: "SENDING" } },
    data: { state: "SENDING", tries: { increment: 1 } },
  });
  return count === 1;
}

/** Records the mail server's reply, or that there was none. */
export async function recordResult(
  tx: Tx,
  delivery: PendingDelivery,
  result: Extract<SendResult, { outcome: "accepted" | "refused" | "uncertain" }>,
): Promise<void> {
  const { issueId, subscriberId } = delivery;
  const where = { issueId, subscriberId, state: { in: ["PENDING", "SENDING"] } };
  if (result.outcome !== "refused") {
    const error = result.outcome === "uncertain" ? result.reason : null;
    const state = result.outcome === "uncertain" ? "UNCERTAIN" : "SENT";
    await tx.newsletterDelivery.updateMany({ where, data: { state, error } });
    return;
  }
  const { isPermanent, reason } = result;
  const retryDelayMs = isPermanent ? undefined : RETRY_DELAYS_MS[delivery.tries];
  await tx.newsletterDelivery.updateMany({
    where,
    data: {
      error: reason,
      tries: delivery.tries + 1,
      state: retryDelayMs === undefined ? "FAILED" : "PENDING",
      nextTryAt: new Date(nowMs() + (retryDelayMs ?? 0)),
    },
  });
}

/**
 * Marks deliveries whose sender died as uncertain, and returns their number. Only one process sends
 * at a time, so call it before it starts.
 */
export async function markAbandoned(tx: Tx): Promise<number> {
  const { count } = await tx.newsletterDelivery.updateMany({
    where: { state: "SENDING", issue: { state: { in: ["SENDING", "CANCELED"] } } },
    data: { state: "UNCERTAIN", error: "The site stopped before the mail server replied." },
  });
  return count;
}

/** Deletes the deliveries that were sent, and adds them to the issue's count of those. */
export async function countSentDeliveries(tx: Tx, issueId: number): Promise<void> {
  const { count } = await tx.newsletterDelivery.deleteMany({ where: { issueId, state: "SENT" } });
  await tx.newsletterIssue.updateMany({
    where: { id: issueId },
    data: { sentCount: { increment: count } },
  });
}

/** Ends an issue whose deliveries are all done, and returns true; otherwise false. */
export async function finishIssue(tx: Tx, id: number): Promise<boolean> {
  const open = { issueId: id, state: { in: ["PENDING", "SENDING"] } };
  if ((await tx.newsletterDelivery.count({ where: open })) > 0) return false;
  // The others are kept, so that they can be sent again.
  await countSentDeliveries(tx, id);
  const { count: ended } = await tx.newsletterIssue.updateMany({
    where: { id, state: "SENDING" },
    data: {
      state: "SENT",
      finishedAt: new Date(nowMs()),
      problem: null,
    },
  });
  return ended === 1;
}
