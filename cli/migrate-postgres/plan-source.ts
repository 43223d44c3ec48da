// Reads and checks the source server's settings and the role's privileges.

import type pg from "pg";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { type PlanIssue, createBlocker, createNote } from "./plan-issue.ts";
import { pluralize, quoteName } from "./plan-text.ts";
import { SLOT_NAME } from "./replication-slot.ts";
import { readRows } from "./source-connection.ts";

/** PostgreSQL 11 added sha256() and 64-bit text hashes. */
const MIN_VERSION_NUMBER = 110_000;
/** A writing transaction that has been open for longer is reported. */
const LONG_TRANSACTION_SECONDS = 60;

export interface SourceFacts {
  /** The server's `system_identifier`, or a substitute if the role cannot read it. */
  readonly systemIdentifier: string;
  readonly database: string;
  readonly role: string;
  /** "15.14" and 150014. */
  readonly version: string;
  readonly versionNumber: number;
  readonly encoding: string;
  /** Whether PostgreSQL converts from its encoding to UTF-8. */
  readonly isConvertible: boolean;
  readonly walLevel: string;
  /** True if the server is a standby. */
  readonly isInRecovery: boolean;
  /** True if the connection goes through a pooler. */
  readonly isPooled: boolean;
  /** True if the role has REPLICATION or the provider's equivalent. */
  readonly canReplicate: boolean;
  readonly canCreate: boolean;
  readonly ownsDatabase: boolean;
  /** True if the role can see and terminate the sessions of other roles. */
  readonly canTerminateOthers: boolean;
  readonly freeSlots: number;
  readonly freeSenders: number;
  /** How much WAL a slot may retain, in megabytes; null: no limit. */
  readonly maxSlotMegabytes: number | null;
  /**
   * The database of an existing slot with this command's slot name; null if there is no such slot.
   */
  readonly slotDatabase: string | null;
  readonly hasPublication: boolean;
  /**
   * Transactions that have written and are open for over a minute; creating a slot waits for them.
   */
  readonly longWriters: number;
  /** Creating a slot also waits for these. */
  readonly preparedTransactions: number;
  readonly provider: "rds" | "google" | "azure" | null;
}

const FACTS_SQL = `
  SELECT json_build_object(
    'database', current_database(), 'role', current_user, 'version', split_part(current_setting('server_version'), ' ', 1), 'versionNumber', current_setting('server_version_num')::int,
    'encoding', current_setting('server_encoding'),
    'isConvertible', current_setting('server_encoding') = 'UTF8' OR EXISTS (SELECT FROM pg_conversion WHERE condefault AND conforencoding = pg_char_to_encoding(current_setting('server_encoding')) AND contoencoding = pg_char_to_encoding('UTF8')),
    'walLevel', current_setting('wal_level'), 'isInRecovery', pg_is_in_recovery(), 'pid', pg_backend_pid(),
    'canReplicate', r.rolsuper OR r.rolreplication OR COALESCE(pg_has_role(to_regrole('rds_replication')::oid, 'USAGE'), false),
    'canCreate', has_database_privilege(current_database(), 'CREATE'),
    'ownsDatabase', r.rolsuper OR pg_has_role(d.datdba, 'USAGE'),
    'canTerminateOthers', r.rolsuper OR (pg_has_role('pg_read_all_stats', 'USAGE') AND pg_has_role('pg_signal_backend', 'USAGE')),
    'freeSlots', current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> '${SLOT_NAME}'),
    'freeSenders', current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_get_wal_senders()),
    'maxSlotMegabytes', (SELECT NULLIF(setting::int, -1) FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
    'slotDatabase', (SELECT COALESCE(database, '') FROM pg_replication_slots WHERE slot_name = '${SLOT_NAME}'),
    'hasPublication', EXISTS (SELECT FROM pg_publication WHERE pubname = '${SLOT_NAME}'),
    'longWriters', (SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND xact_start < now() - interval '${LONG_TRANSACTION_SECONDS} seconds'),
    'preparedTransactions', (SELECT count(*) FROM pg_prepared_xacts),
    'provider', CASE WHEN to_regrole('rds_superuser') IS NOT NULL THEN 'rds' WHEN to_regrole('cloudsqlsuperuser') IS NOT NULL THEN 'google' WHEN to_regrole('azure_pg_admin') IS NOT NULL THEN 'azure' END
  )::text AS facts FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`;

/**
 * Returns the server's `system_identifier`. If the role may not read it, returns the oids of the
 * database and its owner, which rarely match on another server.
 */
export async function readSystemIdentifier(client: pg.Client): Promise<string> {
  const [privilege] = await readRows<{ granted: string }>(
    client,
    "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')::text AS granted",
  );
  const sql =
    privilege!.granted === "true"
      ? "SELECT system_identifier::text AS system FROM pg_control_system()"
      : "SELECT format('database %s of %s', oid, datdba) AS system FROM pg_database WHERE datname = current_database()";
  const [row] = await readRows<{ system: string }>(client, sql);
  return row!.system;
}

/** Reads the facts in the caller's transaction. */
export async function readSourceFacts(client: pg.Client): Promise<SourceFacts> {
  const [row] = await readRows<{ facts: string }>(client, FACTS_SQL);
  const { pid, ...facts } = JSON.parse(row!.facts) as Omit<
    SourceFacts,
    "systemIdentifier" | "isPooled"
  > & {
    pid: number;
  };
  // A pooler reports its own process id.
  const { processID: reportedPid } = client as unknown as { processID: number | null };
  return {
    ...facts,
    systemIdentifier: await readSystemIdentifier(client),
    isPooled: reportedPid !== null && reportedPid !== pid,
  };
}

/** Returns whether the catalog queries would fail on this server. */
export function isVersionTooOld({ versionNumber }: SourceFacts): boolean {
  return versionNumber < MIN_VERSION_NUMBER;
}

/**
 * Returns blockers and notes about the source. `isOurs`: an existing slot and publication belong to
 * this migration.
 */
export function checkSourceFacts(facts: SourceFacts, { isOurs }: { isOurs: boolean }): PlanIssue[] {
  const issues: PlanIssue[] = [];
  if (isVersionTooOld(facts))
    issues.push(
      createBlocker(
        "source",
        `The server is PostgreSQL ${facts.version}. A migration needs 11 or newer.`,
        "Upgrade it, or restore a dump into a newer server and migrate from there.",
      ),
    );
  if (facts.isInRecovery)
    issues.push(
      createBlocker(
        "source",
        "This server is a standby: its data may be behind the primary.",
        "Set --from to the address of the primary.",
      ),
    );
  if (facts.isPooled)
    issues.push(
      createBlocker(
        "source",
        "--from points to a connection pooler. It does not preserve session settings, which dates depend on.",
        "Set --from to the address of the server itself.",
      ),
    );
  if (!facts.isConvertible || facts.encoding === "SQL_ASCII") {
    issues.push(
      createBlocker(
        "source",
        `The database's encoding is ${facts.encoding}, which PostgreSQL cannot convert to UTF-8.`,
        "Restore a dump (pg_dump --encoding=UTF8) into a UTF8 database, and migrate from there.",
      ),
    );
  } else if (facts.encoding !== "UTF8") {
    issues.push(
      createNote(
        "values",
        `The database's encoding is ${facts.encoding}. PostgreSQL converts its texts to UTF-8.`,
      ),
    );
  }
  if (!isOurs && facts.slotDatabase !== null)
    issues.push(
      createBlocker(
        "source",
        `A replication slot named ${SLOT_NAME} already exists, from ${facts.slotDatabase === facts.database ? "another migration of this database" : `a migration of the database ${quoteName(facts.slotDatabase)} on the same server`}.`,
        "Finish that migration, or run abort against that database: it drops the slot.",
      ),
    );
  else if (!isOurs && facts.hasPublication)
    issues.push(
      createBlocker(
        "source",
        `A publication named ${SLOT_NAME} already exists, from another migration.`,
        "Finish that migration, or run abort: it drops the publication.",
      ),
    );
  if (!facts.ownsDatabase)
    issues.push(
      createNote(
        "source",
        "This role does not own the database, so cutover cannot make it read-only.",
        "Use the owner's role, or stop the source site yourself and run cutover --source-stopped.",
      ),
    );
  else if (!facts.canTerminateOthers)
    issues.push(
      createNote(
        "source",
        "This role cannot see and terminate the sessions of other roles. cutover fails unless the source site uses the same role.",
        `GRANT pg_read_all_stats, pg_signal_backend TO ${quoteIdentifier(facts.role)};`,
      ),
    );
  return issues;
}

/** Returns notes for a source that can stream. */
export function noteStreaming({
  longWriters,
  preparedTransactions,
  maxSlotMegabytes,
  freeSlots,
}: SourceFacts): PlanIssue[] {
  const issues: PlanIssue[] = [];
  if (longWriters > 0)
    issues.push(
      createNote(
        "source",
        `${pluralize(longWriters, "writing transaction")} on the server ${longWriters === 1 ? "has" : "have"} been open for more than a minute. The copy waits until ${longWriters === 1 ? "it ends" : "they end"}.`,
      ),
    );
  if (preparedTransactions > 0)
    issues.push(
      createNote(
        "source",
        `${pluralize(preparedTransactions, "prepared transaction")} ${preparedTransactions === 1 ? "is" : "are"} pending (pg_prepared_xacts). The copy waits until ${preparedTransactions === 1 ? "it is" : "they are"} committed or rolled back.`,
      ),
    );
  if (maxSlotMegabytes !== null)
    issues.push(
      createNote(
        "source",
        `The server retains at most ${pluralize(maxSlotMegabytes, "MB", "MB")} of changes for a slot (max_slot_wal_keep_size). If more is written before follow applies it, the copy must start over.`,
      ),
    );
  if (freeSlots === 1)
    issues.push(
      createNote(
        "source",
        "One replication slot is free, and the migration takes it. verify needs a second one for a few seconds.",
        "Raise max_replication_slots, or rely on the verification in copy and cutover.",
      ),
    );
  return issues;
}
