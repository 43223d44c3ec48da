// Stops the old site's writes, so that nothing is written behind the move's back, and allows them again.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../base/errors.ts";
import { quoted } from "./move.ts";
import { OURS, connectSource, readRows } from "./source.ts";

/** How long a transaction that was open when writes stopped may take to end by itself. */
const GRACE_MS = 300;
/** The bound of ending the others. */
const END_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** What the database itself says of `default_transaction_read_only`: null where nothing is set. */
export async function findReadOnly(url: string): Promise<string | null> {
  return withSource(url, async (query) => {
    const [row] = await query<{ value: string | null }>(
      `SELECT split_part(entry, '=', 2) AS value FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS entry
       WHERE d.datname = current_database() AND s.setrole = 0 AND entry LIKE 'default_transaction_read_only=%'`,
    );
    return row?.value ?? null;
  });
}

/** Throws AppError(forbidden) where the role may not make the database read-only: it must own it. */
export async function requireRightToStop(url: string): Promise<void> {
  await withSource(url, async (query) => {
    const [database] = await query<{ may: string }>("SELECT (pg_has_role(d.datdba, 'USAGE') OR r.rolsuper)::text AS may FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user");
    if (database!.may !== "true") throw new AppError("forbidden", "This role does not own the database: it can't be made read-only. Use the owner's, or stop the old site yourself and give --old-site-stopped.");
  });
}

/**
 * Makes the database read-only for every session that begins from now on, and ends the others: who was in a transaction gets
 * 300 ms to finish it. When it returns, no session is left that could write without asking for it. Returns how many were ended.
 */
export async function stopWrites(url: string): Promise<{ ended: number }> {
  return withSource(url, async (query) => {
    const [database] = await query<{ name: string }>("SELECT current_database() AS name");
    await query(`ALTER DATABASE ${quoted(database!.name)} SET default_transaction_read_only = on`);
    // Who connects from here on reads the new setting.
    const [{ now }] = (await query<{ now: string }>("SELECT clock_timestamp()::text AS now")) as [{ now: string }];
    const graceEndsMs = performance.now() + GRACE_MS;
    const untilMs = performance.now() + END_MS;
    const ended = new Set<string>();
    for (;;) {
      const left = await query<{ pid: string; idle: string }>(
        `SELECT pid::text, (state IS NOT DISTINCT FROM 'idle')::text AS idle FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_start <= $1::timestamptz AND backend_type = 'client backend' AND application_name <> '${OURS}'`,
        [now],
      );
      if (left.length === 0) return { ended: ended.size };
      if (performance.now() > untilMs) throw new AppError("unavailable", `${left.length} of the old site's sessions can't be ended.`);
      for (const { pid, idle } of left) {
        if (idle !== "true" && performance.now() < graceEndsMs) continue;
        ended.add(pid);
        await query("SELECT pg_terminate_backend($1::int)::text AS done", [pid]);
      }
      await sleep(LOOK_EVERY_MS);
    }
  });
}

/** Puts the setting back to what it was before stopWrites: `before` is findReadOnly's answer from then. Sessions that begin now can write again. */
export async function allowWrites(url: string, before: string | null): Promise<void> {
  await withSource(url, async (query) => {
    const [{ name }] = (await query<{ name: string }>("SELECT current_database() AS name")) as [{ name: string }];
    await query(`ALTER DATABASE ${quoted(name)} ${before === null ? "RESET default_transaction_read_only" : `SET default_transaction_read_only = ${before === "on" ? "on" : "off"}`}`);
  });
}

/**
 * Waits until nobody but us is connected to the database: for an owner who stops the old site. Throws AppError(unavailable) after `timeoutMs`,
 * and AppError(forbidden) for a role that can't see the sessions of others.
 */
export async function waitUntilAlone(url: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  await withSource(url, async (query) => {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const [{ others }] = (await query<{ others: string }>(
        `SELECT count(*)::text AS others FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'parallel worker') AND application_name <> '${OURS}'`,
      )) as [{ others: string }];
      if (others === "0") return;
      if (performance.now() > untilMs) throw new AppError("unavailable", `${others} other sessions are still connected to the old database. Stop the old site, and try again.`);
      await sleep(200, undefined, { signal });
    }
  });
}

type Query = <Row extends Record<string, string | null>>(text: string, values?: readonly (string | null)[]) => Promise<Row[]>;

async function withSource<T>(url: string, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await connectSource(url);
  try {
    return await work((text, values) => readRows(client, text, values));
  } finally {
    await client.end().catch(() => {});
  }
}
