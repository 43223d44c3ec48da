// Stops the old site's writes, so that nothing is written behind the move's back, and allows them again.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "#lib/core/errors.ts";
import { quoteIdentifier } from "./table-mapping.ts";
import { APPLICATION_NAME, connectSource, closeSource, readRows } from "./source-connection.ts";

/** How long a transaction that was open when writes stopped may take to end by itself. */
const TRANSACTION_GRACE_MS = 300;
/** The bound of ending the others. */
const TERMINATE_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** What the database itself says of `default_transaction_read_only`: null where nothing is set. */
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
 * Throws AppError(forbidden) where the role may not stop writes: it must own the database, and see and end the sessions of others. Throws AppError(conflict)
 * for what would go on to write all the same: a role whose own setting says so, a prepared transaction, a subscription.
 */
export async function assertCanTerminate(url: string): Promise<void> {
  await withSourceQuery(url, async (query) => {
    const [right] = await query<{ owns: string; sees: string; role: string }>(
      `SELECT (pg_has_role(d.datdba, 'USAGE') OR r.rolsuper)::text AS owns, (r.rolsuper OR (pg_has_role('pg_read_all_stats', 'USAGE') AND pg_has_role('pg_signal_backend', 'USAGE')))::text AS sees, current_user AS role
       FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
    );
    if (right!.owns !== "true")
      throw new AppError(
        "forbidden",
        "This role does not own the database: it can't be made read-only. Use the owner's, or stop the old site yourself and give --old-site-stopped.",
      );
    if (right!.sees !== "true" && (await hasHiddenSessions(query)))
      throw createHiddenSessionsError(right!.role);
    await assertNoBypassingWriters(query);
  });
}

/** Sessions of this database but our own. What a role may not see of another's session is null: such a one counts as somebody. */
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
    `This role can't see and end the sessions of other roles, so nobody can say that they have stopped. GRANT pg_read_all_stats, pg_signal_backend TO ${quoteIdentifier(role)};`,
  );

/** Writers that a read-only database does not stop. */
async function assertNoBypassingWriters(query: RunQuery): Promise<void> {
  const found = await query<{ what: string; name: string }>(
    `SELECT 'role' AS what, COALESCE(quote_ident(r.rolname), 'ALL') AS name FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS entry
     WHERE s.setrole <> 0 AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND entry ~* '^default_transaction_read_only=(off|f|false|n|no|0)$'
     UNION ALL SELECT 'prepared', gid FROM pg_prepared_xacts WHERE database = current_database()
     UNION ALL SELECT 'subscription', quote_ident(subname) FROM pg_subscription WHERE subenabled AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  const [first] = found;
  if (!first) return;
  if (first.what === "role")
    throw new AppError(
      "conflict",
      `The role ${first.name} writes whatever the database says (its own default_transaction_read_only is off). ALTER ROLE ${first.name} RESET default_transaction_read_only;`,
    );
  if (first.what === "prepared")
    throw new AppError(
      "conflict",
      "A prepared transaction waits for its end and would be committed afterwards (pg_prepared_xacts). COMMIT PREPARED or ROLLBACK PREPARED it first.",
    );
  throw new AppError(
    "conflict",
    `The subscription ${first.name} writes into this database, whatever its settings. ALTER SUBSCRIPTION ${first.name} DISABLE;`,
  );
}

/**
 * Makes the database read-only for every session that begins from now on, and ends the others: who was in a transaction gets
 * 300 ms to finish it. When it returns, no session is seen that could write without asking for it. Returns the server's time from which on sessions read the
 * new setting, for endOlder.
 */
export async function blockWrites(url: string): Promise<{ since: string }> {
  return withSourceQuery(url, async (query) => {
    const [database] = await query<{ name: string }>("SELECT current_database() AS name");
    await query(
      `ALTER DATABASE ${quoteIdentifier(database!.name)} SET default_transaction_read_only = on`,
    );
    const [row] = await query<{ now: string }>("SELECT clock_timestamp()::text AS now");
    const since = row!.now;
    await terminateSessions(query, since);
    return { since };
  });
}

/** Ends sessions that began before `since`: one that had read its settings and was not to be seen yet when writes were stopped. Returns how many there were. */
export function terminateOlder(url: string, since: string): Promise<number> {
  return withSourceQuery(url, (query) => terminateSessions(query, since));
}

async function terminateSessions(query: RunQuery, since: string): Promise<number> {
  const graceEndsMs = performance.now() + TRANSACTION_GRACE_MS;
  const untilMs = performance.now() + TERMINATE_TIMEOUT_MS;
  const ended = new Set<string>();
  for (;;) {
    const left = await query<{ pid: string; idle: string }>(
      `SELECT pid::text, (state IS NOT DISTINCT FROM 'idle')::text AS idle FROM pg_stat_activity WHERE ${OTHER_SESSIONS_CONDITION} AND COALESCE(backend_start <= $1::timestamptz, true)`,
      [since],
    );
    if (left.length === 0) return ended.size;
    if (performance.now() > untilMs)
      throw new AppError(
        "unavailable",
        `${left.length} of the old site's sessions can't be ended.`,
      );
    for (const { pid, idle } of left) {
      if (idle !== "true" && performance.now() < graceEndsMs) continue;
      ended.add(pid);
      await query("SELECT pg_terminate_backend($1::int)::text AS done", [pid]);
    }
    await sleep(POLL_MS);
  }
}

/**
 * Puts the setting back to what it was before stopWrites: `before` is findReadOnly's answer from then. Sessions that began meanwhile are ended, since they
 * would stay read-only: whoever keeps connections opens new ones.
 */
export async function allowWrites(url: string, before: string | null): Promise<void> {
  await withSourceQuery(url, async (query) => {
    const [row] = await query<{ name: string }>("SELECT current_database() AS name");
    await query(
      `ALTER DATABASE ${quoteIdentifier(row!.name)} ${before === null ? "RESET default_transaction_read_only" : `SET default_transaction_read_only = ${/^(on|t|true|y|yes|1)$/i.test(before) ? "on" : "off"}`}`,
    );
    const [now] = await query<{ now: string }>("SELECT clock_timestamp()::text AS now");
    // What can't be ended ends when its site reconnects.
    await terminateSessions(query, now!.now).catch(() => {});
  });
}

/**
 * Waits until nobody but us is connected to the database: for an owner who stops the old site. Throws AppError(unavailable) after `timeoutMs`, and what
 * requireRightToStop throws for those who would write all the same.
 */
export async function waitForNoSessions(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  await withSourceQuery(url, async (query) => {
    await assertNoBypassingWriters(query);
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const [row] = await query<{ others: string }>(
        `SELECT count(*)::text AS others FROM pg_stat_activity WHERE ${OTHER_SESSIONS_CONDITION}`,
      );
      if (row!.others === "0") return;
      if (performance.now() > untilMs)
        throw new AppError(
          "unavailable",
          `Still connected to the old database: ${row!.others} other ${row!.others === "1" ? "session" : "sessions"}. Stop the old site, and try again.`,
        );
      await sleep(200, undefined, { signal });
    }
  });
}

type RunQuery = <Row extends Record<string, string | null>>(
  text: string,
  values?: readonly (string | null)[],
) => Promise<Row[]>;

async function withSourceQuery<T>(url: string, work: (query: RunQuery) => Promise<T>): Promise<T> {
  const client = await connectSource(url);
  try {
    return await work((text, values) => readRows(client, text, values));
  } finally {
    await closeSource(client);
  }
}
