// Implements the transactional outbox pattern: deliveries are stored in the transaction of their
// change and sent after the commit, with retries. Delivery is at least once: a crash between
// sending and recording repeats it.

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import { log } from "#lib/core/log.ts";
import { runOutsideRequest } from "#lib/core/request-context.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { currentRole } from "#lib/replication/role.ts";
import { singleton } from "#lib/core/singleton.ts";
import { type Delivery, deliver } from "./deliver.ts";

export interface PendingDelivery {
  readonly id: number;
  readonly createdAt: number;
  readonly kind: Delivery["kind"];
  readonly about: string;
  readonly tries: number;
  /** null if given up; an admin can retry it. */
  readonly nextTryAt: number | null;
  readonly lastError: string | null;
}

/** Backoff after each failure; after the last, an admin decides. */
const RETRY_DELAYS_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
];
/** How long a claimed delivery is reserved; longer than its deadline. */
const LEASE_MS = 2 * MINUTE_MS;
const POLL_INTERVAL_MS = 15 * SECOND_MS;
const BATCH_SIZE = 20;
/** Leaves one SMTP connection for login emails. A batch of timeouts fits into the lease. */
const CONCURRENCY = 2;

/**
 * Returns true if the receiver is configured. Emails always have one: without SMTP_URL, the local
 * mailbox.
 */
function isDeliveryConfigured(kind: Delivery["kind"]): boolean {
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
export function enqueueDelivery(
  tx: Tx,
  delivery: Delivery,
  { userId, about }: { userId: string | null; about: string },
): void {
  if (!isDeliveryConfigured(delivery.kind)) return;
  sqlOf(tx).run(
    `INSERT INTO "Delivery" ("createdAt", "kind", "userId", "about", "payload", "nextTryAt") VALUES (?, ?, ?, ?, ?, ?)`,
    nowMs(),
    delivery.kind,
    userId,
    about,
    JSON.stringify(delivery),
    nowMs(),
  );
}

interface DueDelivery {
  readonly id: number;
  readonly kind: Delivery["kind"];
  readonly userId: string | null;
  readonly payload: string;
  readonly tries: number;
}

/** Claims up to BATCH_SIZE due deliveries for LEASE_MS. */
function claimDueDeliveries(tx: Tx): DueDelivery[] {
  const now = nowMs();
  const due = sqlOf(tx).all<DueDelivery>(
    `SELECT "id", "kind", "userId", "payload", "tries" FROM "Delivery" WHERE "nextTryAt" <= ? ORDER BY "nextTryAt", "id" LIMIT ${BATCH_SIZE}`,
    now,
  );
  for (const { id } of due)
    sqlOf(tx).run(
      `UPDATE "Delivery" SET "tries" = "tries" + 1, "nextTryAt" = ? WHERE "id" = ?`,
      now + LEASE_MS,
      id,
    );
  return due;
}

async function attemptDelivery({ id, kind, userId, payload, tries }: DueDelivery): Promise<void> {
  try {
    const result = await deliver(JSON.parse(payload) as Delivery);
    await write((tx) => {
      sqlOf(tx).run(`DELETE FROM "Delivery" WHERE "id" = ?`, id);
      if (result?.convertKitId && userId)
        sqlOf(tx).run(
          `UPDATE "User" SET "convertKitId" = ?, "updatedAt" = ? WHERE "id" = ?`,
          result.convertKitId,
          nowMs(),
          userId,
        );
    });
  } catch (error) {
    const retryDelayMs = RETRY_DELAYS_MS[tries];
    log(retryDelayMs === undefined ? "error" : "warn", "outbox.failed", {
      id,
      kind,
      tries: tries + 1,
      error,
    });
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 500);
    await write((tx) =>
      sqlOf(tx).run(
        `UPDATE "Delivery" SET "nextTryAt" = ?, "lastError" = ? WHERE "id" = ?`,
        retryDelayMs === undefined ? null : nowMs() + retryDelayMs,
        reason,
        id,
      ),
    );
  }
}

interface OutboxState {
  running: Promise<void> | null;
  rerunRequested: boolean;
  timer: NodeJS.Timeout | null;
}
const outboxState = () =>
  singleton<OutboxState>("outbox", () => ({ running: null, rerunRequested: false, timer: null }));

/**
 * Attempts every due delivery. Does nothing unless this is the primary; concurrent calls share one
 * run.
 */
export async function runDueDeliveries(): Promise<void> {
  const state = outboxState();
  if (state.running) {
    state.rerunRequested = true;
    return state.running;
  }
  state.running = (async () => {
    do {
      state.rerunRequested = false;
      for (;;) {
        if (currentRole() !== "primary") return;
        // Read first, so that an idle site writes nothing.
        const isAnyDue = await read((tx) =>
          sqlOf(tx).get(`SELECT 1 FROM "Delivery" WHERE "nextTryAt" <= ? LIMIT 1`, nowMs()),
        );
        const due = isAnyDue ? await write(claimDueDeliveries) : [];
        if (due.length === 0) break;
        await forEachConcurrently(due, CONCURRENCY, attemptDelivery);
      }
    } while (state.rerunRequested);
  })().finally(() => {
    state.running = null;
  });
  return state.running;
}

/** Starts deliveries in the background. Call it after the commit that enqueued them. */
export function triggerDeliveries(): void {
  runOutsideRequest(() =>
    setImmediate(
      () =>
        void runDueDeliveries().catch((error: unknown) =>
          log("error", "outbox.stopped", { error }),
        ),
    ),
  );
}

/** Starts polling for due deliveries. Idempotent. */
export function startDeliveryPolling(): void {
  const state = outboxState();
  state.timer ??= setInterval(triggerDeliveries, POLL_INTERVAL_MS);
  state.timer.unref();
}

/** Returns at most `limit` pending deliveries, newest first. */
export function listDeliveries(tx: Tx, limit = 100): PendingDelivery[] {
  return sqlOf(tx).all<PendingDelivery>(
    `SELECT "id", "createdAt", "kind", "about", "tries", "nextTryAt", "lastError" FROM "Delivery" ORDER BY "id" DESC LIMIT ?`,
    limit,
  );
}
