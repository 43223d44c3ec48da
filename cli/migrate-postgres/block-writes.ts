// Makes the source database read-only for the cutover, terminates its sessions, and allows writes
// again.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "#lib/core/errors.ts";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { APPLICATION_NAME, readRows, withSource } from "./source-connection.ts";

/** How long transactions may take to finish if they are open when writes are blocked. */
const TRANSACTION_GRACE_MS = 300;
const TERMINATE_TIMEOUT_MS = 10_000;
const TERMINATE_POLL_MS = 20;
const SESSIONS_POLL_MS = 200;

/** Returns whether a boolean setting is on, in any spelling that PostgreSQL accepts. */
export const isSettingOn = (value: string | null) => /^(on|t|true|y|yes|1)$/i.test(value ?? "");

/**
 * Returns the `default_transaction_read_only` set on the database itself, or null if there is no
 * such setting.
 */
export async function findReadOnlySetting(url: string): Promise<string | null> {
  return withSourceQuery(url, async (query) => {
    const [row] = await query<{ value: string | null }>(
      `SELECT split_part(entry, '=', 2) AS value FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS entry
       WHERE d.datname = current_database() AND s.setrole = 0 AND entry LIKE 'default_transaction_read_only=%'`,
    );
    return row?.value ?? null;
  });
}

/**
 * Throws AppError(forbidden) unless the role owns the database and can see and terminate other
 * sessions. Throws AppError(conflict) for writers that a read-only database does not stop: a role
 * with its own setting, a prepared transaction or a subscription.
 */
export async function assertCanTerminate(url: string): Promise<void> {
  await withSourceQuery(url, async (query) => {
    const [rights] = await query<{ owns: string; sees: string; role: string }>(
      `SELECT (pg_has_role(d.datdba, 'USAGE') OR r.rolsuper)::text AS owns, (r.rolsuper OR (pg_has_role('pg_read_all_stats', 'USAGE') AND pg_has_role('pg_signal_backend', 'USAGE')))::text AS sees, current_user AS role
       FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
    );
    if (rights!.owns !== "true")
      throw new AppError(
        "forbidden",
        "This role does not own the database, so it cannot make it read-only. Use the owner's role, or stop the source site yourself and run with --source-stopped.",
      );
    if (rights!.sees !== "true" && (await hasHiddenSessions(query)))
      throw createHiddenSessionsError(rights!.role);
    await assertNoBypassingWriters(query);
  });
}

/**
 * Selects this database's sessions except this command's own. Columns that the role may not see are
 * null; such sessions count.
 */
const OTHER_SESSIONS_CONDITION = `datname = current_database() AND pid <> pg_backend_pid() AND application_name IS DISTINCT FROM '${APPLICATION_NAME}' AND COALESCE(backend_type, 'client backend') IN ('client backend', 'parallel worker')`;

async function hasHiddenSessions(query: RunQuery): Promise<boolean> {
  const [row] = await query<{ n: string }>(
    `SELECT count(*)::text AS n FROM pg_stat_activity WHERE ${OTHER_SESSIONS_CONDITION} AND backend_start IS NULL`,
  );
  return row!.n !== "0";
}

const createHiddenSessionsError = (role: string) =>
  new AppError(
    "forbidden",
    `This role cannot see and terminate the sessions of other roles. GRANT pg_read_all_stats, pg_signal_backend TO ${quoteIdentifier(role)};`,
  );

/** Throws AppError(conflict) for a writer that a read-only database does not stop. */
async function assertNoBypassingWriters(query: RunQuery): Promise<void> {
  const [writer] = await query<{ kind: string; name: string }>(
    `SELECT 'role' AS kind, COALESCE(quote_ident(r.rolname), 'ALL') AS name FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS entry
     WHERE s.setrole <> 0 AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND entry ~* '^default_transaction_read_only=(off|f|false|n|no|0)$'
     UNION ALL SELECT 'prepared', gid FROM pg_prepared_xacts WHERE database = current_database()
     UNION ALL SELECT 'subscription', quote_ident(subname) FROM pg_subscription WHERE subenabled AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  if (!writer) return;
  if (writer.kind === "role")
    throw new AppError(
      "conflict",
      `The role ${writer.name} overrides the database's read-only setting (its own default_transaction_read_only is off). ALTER ROLE ${writer.name} RESET default_transaction_read_only;`,
    );
  if (writer.kind === "prepared")
    throw new AppError(
      "conflict",
      "A prepared transaction is pending and could commit later (pg_prepared_xacts). Run COMMIT PREPARED or ROLLBACK PREPARED first.",
    );
  throw new AppError(
    "conflict",
    `The subscription ${writer.name} writes into this database despite its settings. ALTER SUBSCRIPTION ${writer.name} DISABLE;`,
  );
}

/**
 * Makes the database read-only for new sessions, and terminates the others; open transactions get
 * 300 ms to finish. Returns the server time since which new sessions are read-only, for
 * terminateOlder. Throws AppError(unavailable) if sessions do not end.
 */
export async function blockWrites(url: string): Promise<{ blockedAt: string }> {
  return withSourceQuery(url, async (query) => {
    const [database] = await query<{ name: string }>("SELECT current_database() AS name");
    await query(
      `ALTER DATABASE ${quoteIdentifier(database!.name)} SET default_transaction_read_only = on`,
    );
    const [row] = await query<{ now: string }>("SELECT clock_timestamp()::text AS now");
    const blockedAt = row!.now;
    await terminateSessions(query, blockedAt);
    return { blockedAt };
  });
}

/**
 * Terminates sessions that started before `blockedAt`, and returns how many. A session may connect
 * before the block but become visible only after it.
 */
export function terminateOlder(url: string, blockedAt: string): Promise<number> {
  return withSourceQuery(url, (query) => terminateSessions(query, blockedAt));
}

async function terminateSessions(query: RunQuery, startedBefore: string): Promise<number> {
  const graceEndsMs = performance.now() + TRANSACTION_GRACE_MS;
  const deadlineMs = performance.now() + TERMINATE_TIMEOUT_MS;
  const terminated = new Set<string>();
  for (;;) {
    const sessions = await query<{ pid: string; idle: string }>(
      `SELECT pid::text, (state IS NOT DISTINCT FROM 'idle')::text AS idle FROM pg_stat_activity WHERE ${OTHER_SESSIONS_CONDITION} AND COALESCE(backend_start <= $1::timestamptz, true)`,
      [startedBefore],
    );
    if (sessions.length === 0) return terminated.size;
    if (performance.now() > deadlineMs)
      throw new AppError(
        "unavailable",
        `${sessions.length} of the source site's sessions did not end.`,
      );
    for (const { pid, idle } of sessions) {
      if (idle !== "true" && performance.now() < graceEndsMs) continue;
      terminated.add(pid);
      await query("SELECT pg_terminate_backend($1::int)::text AS done", [pid]);
    }
    await sleep(TERMINATE_POLL_MS);
  }
}

/**
 * Restores the setting that findReadOnlySetting returned before the block. Terminates sessions that
 * started in the meantime, since they would stay read-only; connection pools open new ones.
 */
export async function allowWrites(url: string, before: string | null): Promise<void> {
  await withSourceQuery(url, async (query) => {
    const [row] = await query<{ name: string }>("SELECT current_database() AS name");
    await query(
      `ALTER DATABASE ${quoteIdentifier(row!.name)} ${before === null ? "RESET default_transaction_read_only" : `SET default_transaction_read_only = ${isSettingOn(before) ? "on" : "off"}`}`,
    );
    const [now] = await query<{ now: string }>("SELECT clock_timestamp()::text AS now");
    // A session that survives this ends when its site reconnects.
    await terminateSessions(query, now!.now).catch(() => {});
  });
}

/**
 * Waits until the owner has stopped the source site and no other session is connected. Throws
 * AppError(unavailable) after `timeoutMs`, AppError(conflict) like assertCanTerminate.
 */
export async function waitForNoSessions(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  await withSourceQuery(url, async (query) => {
    await assertNoBypassingWriters(query);
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const [row] = await query<{ others: string }>(
        `SELECT count(*)::text AS others FROM pg_stat_activity WHERE ${OTHER_SESSIONS_CONDITION}`,
      );
      if (row!.others === "0") return;
      if (performance.now() > deadlineMs)
        throw new AppError(
          "unavailable",
          `${row!.others} other ${row!.others === "1" ? "session is" : "sessions are"} still connected to the source database. Stop the source site, then try again.`,
        );
      await sleep(SESSIONS_POLL_MS, undefined, { signal });
    }
  });
}

type RunQuery = <Row extends Record<string, string | null>>(
  text: string,
  values?: readonly (string | null)[],
) => Promise<Row[]>;

const withSourceQuery = <T>(url: string, work: (query: RunQuery) => Promise<T>): Promise<T> =>
  withSource(url, (client) => work((text, values) => readRows(client, text, values)));
