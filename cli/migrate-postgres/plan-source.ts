// What the server of the source is, and what keeps it from streaming its changes.

import type pg from "pg";
import { withSourceDeadline } from "./table-checksums.ts";
import { type PlanIssue, pluralize, createNote, quoteName, createBlocker } from "./plan-issue.ts";
import { SLOT_NAME, quoteIdentifier } from "./table-mapping.ts";
import { readRows } from "./source-connection.ts";

/** Of PostgreSQL: sha256 and the 64-bit hashes of texts came with it. */
const MIN_VERSION_NUMBER = 110_000;
/** A transaction that is open for so long is worth telling. */
const LONG_TRANSACTION_SECONDS = 60;

export interface SourceFacts {
  /** `system_identifier` of the server; an own name for it where the role may not read that. */
  readonly system: string;
  readonly database: string;
  readonly role: string;
  /** "15.14" and 150014. */
  readonly version: string;
  readonly versionNumber: number;
  readonly encoding: string;
  /** Whether Postgres converts from its encoding to UTF-8. */
  readonly isConvertible: boolean;
  readonly walLevel: string;
  /** A standby. */
  readonly isInRecovery: boolean;
  /** Somebody stands between us and the server. */
  readonly isPooled: boolean;
  readonly isSuperuser: boolean;
  /** REPLICATION, or what stands for it at a provider. */
  readonly mayReplicate: boolean;
  readonly mayCreate: boolean;
  readonly ownsDatabase: boolean;
  /** The sessions of other roles, to see and to end them. */
  readonly mayEndOthers: boolean;
  readonly freeSlots: number;
  readonly freeSenders: number;
  /** What a slot may keep, in megabytes; null where there is no end to it. */
  readonly keptMegabytes: number | null;
  /** The database that a slot of this move's name belongs to; null where there is none. */
  readonly slotOf: string | null;
  readonly hasPublication: boolean;
  /** Transactions that have written and are open for a minute, and prepared ones: a slot waits for their end. */
  readonly longWriters: number;
  readonly prepared: number;
  readonly provider: "rds" | "google" | "azure" | null;
}

const FACTS_SQL = `
  SELECT json_build_object(
    'database', current_database(), 'role', current_user, 'version', split_part(current_setting('server_version'), ' ', 1), 'versionNumber', current_setting('server_version_num')::int,
    'encoding', current_setting('server_encoding'),
    'isConvertible', current_setting('server_encoding') = 'UTF8' OR EXISTS (SELECT FROM pg_conversion WHERE condefault AND conforencoding = pg_char_to_encoding(current_setting('server_encoding')) AND contoencoding = pg_char_to_encoding('UTF8')),
    'walLevel', current_setting('wal_level'), 'isInRecovery', pg_is_in_recovery(), 'pid', pg_backend_pid(),
    'isSuperuser', r.rolsuper,
    'mayReplicate', r.rolsuper OR r.rolreplication OR COALESCE(pg_has_role(to_regrole('rds_replication')::oid, 'USAGE'), false),
    'mayCreate', has_database_privilege(current_database(), 'CREATE'),
    'ownsDatabase', r.rolsuper OR pg_has_role(d.datdba, 'USAGE'),
    'mayEndOthers', r.rolsuper OR (pg_has_role('pg_read_all_stats', 'USAGE') AND pg_has_role('pg_signal_backend', 'USAGE')),
    'freeSlots', current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> '${SLOT_NAME}'),
    'freeSenders', current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_get_wal_senders()),
    'keptMegabytes', (SELECT NULLIF(setting::int, -1) FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
    'slotOf', (SELECT COALESCE(database, '') FROM pg_replication_slots WHERE slot_name = '${SLOT_NAME}'),
    'hasPublication', EXISTS (SELECT FROM pg_publication WHERE pubname = '${SLOT_NAME}'),
    'longWriters', (SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND xact_start < now() - interval '${LONG_TRANSACTION_SECONDS} seconds'),
    'prepared', (SELECT count(*) FROM pg_prepared_xacts),
    'provider', CASE WHEN to_regrole('rds_superuser') IS NOT NULL THEN 'rds' WHEN to_regrole('cloudsqlsuperuser') IS NOT NULL THEN 'google' WHEN to_regrole('azure_pg_admin') IS NOT NULL THEN 'azure' END
  )::text AS facts FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`;

/**
 * `system_identifier` of the server that `client` is connected to. Where a provider has taken the right to ask for it from the role: the number of the
 * database and its owner's, which another server's has too seldom to matter.
 */
export async function readSystemIdentifier(client: pg.Client): Promise<string> {
  const [right] = await withSourceDeadline(client, () =>
    readRows<{ may: string }>(
      client,
      "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')::text AS may",
    ),
  );
  const sql =
    right!.may === "true"
      ? "SELECT system_identifier::text AS system FROM pg_control_system()"
      : "SELECT format('database %s of %s', oid, datdba) AS system FROM pg_database WHERE datname = current_database()";
  const [row] = await withSourceDeadline(client, () => readRows<{ system: string }>(client, sql));
  return row!.system;
}

/** Within a transaction of `client` that the caller began. */
export async function readSourceFacts(client: pg.Client): Promise<SourceFacts> {
  const [row] = await withSourceDeadline(client, () =>
    readRows<{ facts: string }>(client, FACTS_SQL),
  );
  const { pid, ...facts } = JSON.parse(row!.facts) as Omit<SourceFacts, "system" | "isPooled"> & {
    pid: number;
  };
  // A pooler tells a number of its own for the session.
  const told = (client as unknown as { processID: number | null }).processID;
  return {
    ...facts,
    system: await readSystemIdentifier(client),
    isPooled: told !== null && told !== pid,
  };
}

/** Whether its catalog can be read as readCatalog does. */
export function isVersionTooOld({ versionNumber }: SourceFacts): boolean {
  return versionNumber < MIN_VERSION_NUMBER;
}

/** What forbids the move, and what is to be known of the server. `isOurs`: a slot and publication that are there belong to the move that is planned. */
export function checkSourceFacts(facts: SourceFacts, { isOurs }: { isOurs: boolean }): PlanIssue[] {
  const findings: PlanIssue[] = [];
  if (isVersionTooOld(facts))
    findings.push(
      createBlocker(
        "source",
        `The server is PostgreSQL ${facts.version}. A move needs 11 or newer.`,
        "Upgrade it, or restore a dump of it into a newer one and move from there.",
      ),
    );
  if (facts.isInRecovery)
    findings.push(
      createBlocker(
        "source",
        "This server is a standby: it follows another one, and what is read here may be behind.",
        "Give --from the address of the primary.",
      ),
    );
  if (facts.isPooled)
    findings.push(
      createBlocker(
        "source",
        "A connection pooler stands between us and PostgreSQL. It does not keep a session's settings, which dates depend on.",
        "Give --from the address of the server itself.",
      ),
    );
  if (!facts.isConvertible || facts.encoding === "SQL_ASCII") {
    findings.push(
      createBlocker(
        "source",
        `The database's encoding is ${facts.encoding}: nothing says which characters its bytes are.`,
        "Restore a dump of it (pg_dump --encoding=UTF8) into a database whose encoding is UTF8, and move from there.",
      ),
    );
  } else if (facts.encoding !== "UTF8") {
    findings.push(
      createNote(
        "values",
        `The database's encoding is ${facts.encoding}. Postgres converts its texts to UTF-8 on the way.`,
      ),
    );
  }
  if (!isOurs && facts.slotOf !== null)
    findings.push(
      createBlocker(
        "source",
        `A replication slot named ${SLOT_NAME} is there already, of ${facts.slotOf === facts.database ? "another move from this database" : `a move from the database ${quoteName(facts.slotOf)} of the same server`}.`,
        "Let that move end, or run abort against that database: it removes the slot.",
      ),
    );
  else if (!isOurs && facts.hasPublication)
    findings.push(
      createBlocker(
        "source",
        `A publication named ${SLOT_NAME} is there already, of another move.`,
        "Let that move end, or run abort: it removes the publication.",
      ),
    );
  if (!facts.ownsDatabase)
    findings.push(
      createNote(
        "source",
        "This role does not own the database, so cutover can't make it read-only.",
        "Use the owner's role, or stop the old site yourself and give cutover --old-site-stopped.",
      ),
    );
  else if (!facts.mayEndOthers)
    findings.push(
      createNote(
        "source",
        "This role can't see and end the sessions of other roles. cutover stops with that, unless the old site logs in with this role, too.",
        `GRANT pg_read_all_stats, pg_signal_backend TO ${quoteIdentifier(facts.role)};`,
      ),
    );
  return findings;
}

/** What is to be known where the changes are streamed. */
export function noteStreaming({
  longWriters,
  prepared,
  keptMegabytes,
  freeSlots,
}: SourceFacts): PlanIssue[] {
  const findings: PlanIssue[] = [];
  if (longWriters > 0)
    findings.push(
      createNote(
        "source",
        `${pluralize(longWriters, "transaction")} of the server ${longWriters === 1 ? "has" : "have"} written something and been open for more than a minute. The copy begins when ${longWriters === 1 ? "it has" : "they have"} ended.`,
      ),
    );
  if (prepared > 0)
    findings.push(
      createNote(
        "source",
        `${pluralize(prepared, "prepared transaction")} ${prepared === 1 ? "waits" : "wait"} for an end (pg_prepared_xacts). The copy begins when ${prepared === 1 ? "it is" : "they are"} committed or rolled back.`,
      ),
    );
  if (keptMegabytes !== null)
    findings.push(
      createNote(
        "source",
        `The server keeps no more than ${pluralize(keptMegabytes, "MB", "MB")} of changes for a slot (max_slot_wal_keep_size). Should more be written before follow takes it over, the copy must begin again.`,
      ),
    );
  if (freeSlots === 1)
    findings.push(
      createNote(
        "source",
        "One replication slot is free, and the move takes it. verify needs a second one for some seconds.",
        "Raise max_replication_slots, or leave verify to copy and cutover.",
      ),
    );
  return findings;
}
