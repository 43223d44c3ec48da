// The outbox: what has to be told to the world is written down in the transaction that makes it true, and told after the commit,
// again and again until it is heard. At least once: a crash between telling and noting tells it twice.

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import { log } from "#lib/core/log.ts";
import { runOutsideRequest } from "#lib/core/request-context.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { currentRole } from "#lib/replication/role.ts";
import { singleton } from "#lib/core/singleton.ts";
import { type Delivery, deliver } from "./deliver.ts";

export interface PendingDelivery {
  readonly id: number;
  readonly createdAt: number;
  readonly kind: Delivery["kind"];
  readonly about: string;
  readonly tries: number;
  /** null: given up until an admin says otherwise. */
  readonly nextTryAt: number | null;
  readonly lastError: string | null;
}

/** How long after each failure it is tried again; after the last one an admin decides. */
const RETRY_DELAYS_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
];
/** Nobody else takes a delivery for this long while it is being made: longer than any deadline of one. */
const LEASE_MS = 2 * MINUTE_MS;
const POLL_INTERVAL_MS = 15 * SECOND_MS;
const BATCH_SIZE = 20;
/** One less than the connections to the mail server: a log-in's mail does not queue behind these. A batch of timeouts fits into the lease. */
const CONCURRENCY = 2;

/** True where this kind of delivery goes anywhere. Mails always do: without a server into the outbox folder. */
function isDeliveryConfigured(kind: Delivery["kind"]): boolean {
  return (
    kind === "MAIL" ||
    (kind === "NEWSLETTER" ? env.KIT_API_KEY !== undefined : env.DISCORD_WEBHOOK_URL !== undefined)
  );
}

/**
 * Writes a delivery down, inside the transaction whose news it is; call kickDeliveries() after the commit.
 * `userId` is whom it concerns: what waits goes with their account. `about` is for the admin: it may name a title, and holds no address and no text.
 * What is not configured is not written down.
 */
export function enqueueDelivery(
  sql: Sql,
  delivery: Delivery,
  { userId, about }: { userId: string | null; about: string },
): void {
  if (!isDeliveryConfigured(delivery.kind)) return;
  sql.run(
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

/** Takes what is due, so that nobody else does. */
function claimDueDeliveries(sql: Sql): DueDelivery[] {
  const now = nowMs();
  const due = sql.all<DueDelivery>(
    `SELECT "id", "kind", "userId", "payload", "tries" FROM "Delivery" WHERE "nextTryAt" <= ? ORDER BY "nextTryAt", "id" LIMIT ${BATCH_SIZE}`,
    now,
  );
  for (const { id } of due)
    sql.run(
      `UPDATE "Delivery" SET "tries" = "tries" + 1, "nextTryAt" = ? WHERE "id" = ?`,
      now + LEASE_MS,
      id,
    );
  return due;
}

async function attemptDelivery({ id, kind, userId, payload, tries }: DueDelivery): Promise<void> {
  try {
    const note = await deliver(JSON.parse(payload) as Delivery);
    await writeSql((sql) => {
      sql.run(`DELETE FROM "Delivery" WHERE "id" = ?`, id);
      if (note?.convertKitId && userId)
        sql.run(
          `UPDATE "User" SET "convertKitId" = ?, "updatedAt" = ? WHERE "id" = ?`,
          note.convertKitId,
          nowMs(),
          userId,
        );
    });
  } catch (error) {
    const wait = RETRY_DELAYS_MS[tries];
    log(wait === undefined ? "error" : "warn", "outbox.failed", {
      id,
      kind,
      tries: tries + 1,
      error,
    });
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 500);
    await writeSql((sql) =>
      sql.run(
        `UPDATE "Delivery" SET "nextTryAt" = ?, "lastError" = ? WHERE "id" = ?`,
        wait === undefined ? null : nowMs() + wait,
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

/** Delivers everything that is due now; resolves when it has been tried. Only the primary does, one run at a time. */
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
        // Looked at in a snapshot first: an idle site writes nothing.
        const isAny = await readSql((sql) =>
          sql.get(`SELECT 1 FROM "Delivery" WHERE "nextTryAt" <= ? LIMIT 1`, nowMs()),
        );
        const due = isAny ? await writeSql(claimDueDeliveries) : [];
        if (due.length === 0) break;
        await forEachConcurrently(due, CONCURRENCY, attemptDelivery);
      }
    } while (state.rerunRequested);
  })().finally(() => {
    state.running = null;
  });
  return state.running;
}

/** Delivers soon, without being waited for. Call it after the commit that enqueued. */
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

/** Looks every fifteen seconds for what is due. From instrumentation.ts, once per process. */
export function startDeliveryPolling(): void {
  const state = outboxState();
  state.timer ??= setInterval(triggerDeliveries, POLL_INTERVAL_MS);
  state.timer.unref();
}

/** What was not delivered yet, newest first; for admins. */
export function listDeliveries(sql: Sql, limit = 100): PendingDelivery[] {
  return sql.all<PendingDelivery>(
    `SELECT "id", "createdAt", "kind", "about", "tries", "nextTryAt", "lastError" FROM "Delivery" ORDER BY "id" DESC LIMIT ?`,
    limit,
  );
}
