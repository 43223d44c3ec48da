// Implements the transactional outbox pattern: deliveries are stored in the transaction of their
// change and sent after the commit, with retries. Delivery is at least once: a crash between
// sending and recording repeats it.

import { defineBackgroundJob } from "#lib/core/background-job.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import { log } from "#lib/core/log.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { currentRole } from "#lib/replication/role.ts";
import { EmailError } from "#lib/outbound/mail/send-email.ts";
import { type Delivery, deliver } from "./deliver.ts";

/**
 * Backoff after each failure. After the last, an admin decides; an email to an unconfirmed address
 * is deleted.
 */
const RETRY_DELAYS_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
];
/** How long a claim reserves a delivery; longer than the delivery's deadline. */
const LEASE_MS = 2 * MINUTE_MS;
const POLL_INTERVAL_MS = 15 * SECOND_MS;
const BATCH_SIZE = 20;
/** Leaves one SMTP connection for login emails. A batch of timeouts fits into the lease. */
const CONCURRENCY = 2;

/**
 * Returns true if the receiver is configured. Emails always have one: without SMTP_URL, the local
 * mailbox.
 */
export function isDeliveryConfigured(kind: Delivery["kind"]): boolean {
  return (
    kind === "MAIL" ||
    (kind === "NEWSLETTER" ? env.KIT_API_KEY !== undefined : env.DISCORD_WEBHOOK_URL !== undefined)
  );
}

/**
 * Enqueues a delivery in the transaction of its change, if its receiver is configured; call
 * triggerDeliveries() after the commit. Deleting the account `userId` deletes it too. `about` is
 * shown to admins: never put addresses or content there.
 */
export async function enqueueDelivery(
  tx: Tx,
  delivery: Delivery,
  { userId, about }: { userId: string | null; about: string },
): Promise<void> {
  if (!isDeliveryConfigured(delivery.kind)) return;
  const now = new Date(nowMs());
  await tx.delivery.create({
    data: {
      createdAt: now,
      kind: delivery.kind,
      userId,
      about,
      payload: JSON.stringify(delivery),
      nextTryAt: now,
    },
    select: { id: true },
  });
}

const isDueAt = (now: number) => ({ nextTryAt: { lte: new Date(now) } });

type ClaimedDelivery = Awaited<ReturnType<typeof claimDueDeliveries>>[number];

/**
 * Claims up to BATCH_SIZE due deliveries for LEASE_MS. Writes run one at a time, so each delivery
 * is claimed once.
 */
async function claimDueDeliveries(tx: Tx) {
  const now = nowMs();
  const due = await tx.delivery.findMany({
    where: isDueAt(now),
    select: { id: true, kind: true, payload: true, tries: true },
    orderBy: [{ nextTryAt: "asc" }, { id: "asc" }],
    take: BATCH_SIZE,
  });
  await tx.delivery.updateMany({
    where: { id: { in: due.map(({ id }) => id) } },
    data: { tries: { increment: 1 }, nextTryAt: new Date(now + LEASE_MS) },
  });
  return due;
}

/** Returns true if a subscription at Kit has since been canceled, or a cancellation reversed. */
async function isOutdated(delivery: Delivery): Promise<boolean> {
  if (delivery.kind !== "NEWSLETTER") return false;
  const where =
    "email" in delivery
      ? { email: delivery.email.toLowerCase() }
      : { kitId: delivery.unsubscribeId };
  const isSubscribed = (await read((tx) => tx.subscriber.count({ where }))) > 0;
  return isSubscribed !== "email" in delivery;
}

/** Stores Kit's ID of a subscriber, or removes one who has unsubscribed in the meantime. */
async function recordKitId(tx: Tx, email: string, kitId: string): Promise<void> {
  const { count } = await tx.subscriber.updateMany({ where: { email }, data: { kitId } });
  if (count === 0)
    await enqueueDelivery(
      tx,
      { kind: "NEWSLETTER", unsubscribeId: kitId },
      { userId: null, about: "Newsletter cancellation" },
    );
}

/** Returns true for an email to an address whose owner has not confirmed it. */
function isUnconfirmed(payload: string): boolean {
  const delivery = JSON.parse(payload) as Delivery;
  return delivery.kind === "MAIL" && delivery.isUnconfirmed === true;
}

async function attemptDelivery({ id, kind, payload, tries }: ClaimedDelivery): Promise<void> {
  try {
    const delivery = JSON.parse(payload) as Delivery;
    const result = (await isOutdated(delivery)) ? null : await deliver(delivery);
    await write(async (tx) => {
      await tx.delivery.deleteMany({ where: { id } });
      if (result && "email" in delivery)
        await recordKitId(tx, delivery.email.toLowerCase(), result.kitId);
    });
  } catch (error) {
    const retryDelayMs = RETRY_DELAYS_MS[tries];
    // The address does not exist: it is a typo, or made up to fill the outbox.
    const isWrongAddress =
      error instanceof EmailError && error.fault === "recipient" && isUnconfirmed(payload);
    if (isWrongAddress) log("info", "outbox.wrong_address", { id });
    else
      log(retryDelayMs === undefined ? "error" : "warn", "outbox.failed", {
        id,
        kind,
        tries: tries + 1,
        error,
      });
    // An admin decides about other deliveries, but this address must not be kept.
    if (isWrongAddress || (retryDelayMs === undefined && isUnconfirmed(payload))) {
      await write((tx) => tx.delivery.deleteMany({ where: { id } }));
      return;
    }
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 500);
    await write((tx) =>
      tx.delivery.updateMany({
        where: { id },
        data: {
          nextTryAt: retryDelayMs === undefined ? null : new Date(nowMs() + retryDelayMs),
          lastError: reason,
        },
      }),
    );
  }
}

/** Attempts every due delivery. Does nothing unless this is the primary. */
async function attemptDueDeliveries(): Promise<void> {
  while (currentRole() === "primary") {
    // Read first, so that an idle site writes nothing.
    const isAnyDue = await read((tx) =>
      tx.delivery.findFirst({ where: isDueAt(nowMs()), select: { id: true } }),
    );
    const due = isAnyDue ? await write(claimDueDeliveries) : [];
    if (due.length === 0) return;
    await forEachConcurrently(due, CONCURRENCY, attemptDelivery);
  }
}

const outbox = defineBackgroundJob("outbox", attemptDueDeliveries, (error) =>
  log("error", "outbox.stopped", { error }),
);

/** Attempts every due delivery on the primary; concurrent calls share one run. */
export const runDueDeliveries = outbox.run;

/** Starts deliveries in the background. Call it after the commit that enqueued them. */
export const triggerDeliveries = outbox.trigger;

/** Starts polling for due deliveries. Idempotent. */
export const startDeliveryPolling = (): void => outbox.startPolling(POLL_INTERVAL_MS);

export type PendingDelivery = Awaited<ReturnType<typeof listDeliveries>>[number];

/**
 * Returns at most `limit` pending deliveries, newest first. `nextTryAt` is null if given up; an
 * admin can retry it.
 */
export async function listDeliveries(tx: Tx, limit = 100) {
  return tx.delivery.findMany({
    select: {
      id: true,
      createdAt: true,
      kind: true,
      about: true,
      tries: true,
      nextTryAt: true,
      lastError: true,
    },
    orderBy: { id: "desc" },
    take: limit,
  });
}
