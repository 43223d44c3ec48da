// Lists what prevents logical replication: server settings, the role's privileges, and table
// properties.

import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import type { SourceFacts } from "./plan-source.ts";
import type { SelectedTable } from "./plan-tables.ts";
import { joinNames, quoteName } from "./plan-text.ts";
import { listStreamedTables } from "./replication-slot.ts";
import type { CatalogTable } from "./source-catalog.ts";
import { qualifiedTableName } from "./source-sql.ts";
import type { TableMapping } from "./table-mapping.ts";

/** PostgreSQL 13 publishes a partitioned table under its own name. */
const PARTITION_ROOT_MIN_VERSION = 130_000;

/** Returns the reasons why the server cannot stream, each with its remedy; empty if it can. */
export function listServerStreamObstacles(facts: SourceFacts): string[] {
  const { walLevel, freeSlots, freeSenders, provider } = facts;
  const role = quoteIdentifier(facts.role);
  const setting = (name: string, value: string) =>
    `Change it (ALTER SYSTEM SET ${name} = ${value}), and restart PostgreSQL.`;
  const obstacles: string[] = [];
  if (walLevel !== "logical") {
    const remedy =
      provider === "rds"
        ? "Set rds.logical_replication = 1 in the parameter group, and restart it."
        : provider === "google"
          ? "Set the flag cloudsql.logical_decoding = on, which restarts it."
          : setting("wal_level", "logical");
    obstacles.push(`wal_level is ${walLevel}, not logical. ${remedy}`);
  }
  if (!facts.canReplicate)
    obstacles.push(
      `The role lacks REPLICATION. ${provider === "rds" ? `GRANT rds_replication TO ${role};` : `ALTER ROLE ${role} REPLICATION;`}`,
    );
  if (!facts.canCreate)
    obstacles.push(
      `The role cannot create a publication. GRANT CREATE ON DATABASE ${quoteIdentifier(facts.database)} TO ${role};`,
    );
  if (freeSlots < 1)
    obstacles.push(
      `All replication slots are in use. Drop an unused one (pg_drop_replication_slot), or raise max_replication_slots. ${setting("max_replication_slots", "20")}`,
    );
  if (freeSenders < 1)
    obstacles.push(
      `All WAL senders (max_wal_senders) are in use. ${setting("max_wal_senders", "20")}`,
    );
  return obstacles;
}

/**
 * Returns the reasons why tables cannot be streamed. Tables without a key are never streamed, so
 * they are not checked.
 */
export function listTableStreamObstacles(
  selected: readonly SelectedTable[],
  { versionNumber, role }: SourceFacts,
): string[] {
  const streamed = new Set(listStreamedTables(selected.map(({ table }) => table)));
  const selectedStreamed = selected.filter(({ table }) => streamed.has(table));
  const sources = [...new Set(selectedStreamed.map(({ from }) => from))];
  const obstacles: string[] = [];
  const notOwned = sources.filter(({ isOwned }) => !isOwned);
  if (notOwned.length > 0)
    obstacles.push(
      `Only its owner can publish a table: ${joinNames(notOwned.map(({ name }) => name))}. Use the owner's role, or ${notOwned.map((from) => `ALTER TABLE ${qualifiedTableName(from)} OWNER TO ${quoteIdentifier(role)};`).join(" ")}`,
    );
  for (const from of sources) {
    const { key } = selectedStreamed.find((one) => one.from === from)!.table;
    obstacles.push(...listPublicationObstacles(from, key, versionNumber));
  }
  for (const { table, from } of selectedStreamed)
    obstacles.push(...listColumnStreamObstacles(table, from));
  return obstacles;
}

function listPublicationObstacles(
  from: CatalogTable,
  key: readonly string[],
  versionNumber: number,
): string[] {
  const obstacles: string[] = [];
  const leaves = from.kind === "p" ? from.childTables : [from];
  if (from.kind === "p" && versionNumber < PARTITION_ROOT_MIN_VERSION)
    obstacles.push(
      `${quoteName(from.name)} has partitions, which this server cannot publish as one table. PostgreSQL 13 can.`,
    );
  const unlogged = leaves.filter(({ isUnlogged }) => isUnlogged);
  if (unlogged.length > 0)
    obstacles.push(
      `The WAL has no changes of the unlogged ${joinNames(unlogged.map(({ name }) => name))}. ${unlogged.map((leaf) => `ALTER TABLE ${qualifiedTableName(leaf)} SET LOGGED;`).join(" ")}`,
    );
  if (leaves.some(({ kind }) => kind === "f"))
    obstacles.push(`${quoteName(from.name)} has partitions on another server.`);
  const unidentified = leaves.filter((leaf) => leaf.kind !== "f" && !hasReplicaIdentity(leaf, key));
  if (unidentified.length > 0)
    obstacles.push(
      `The stream would not identify changed or deleted rows of ${quoteName(from.name)}. ${unidentified.map((leaf) => replicaIdentitySql(leaf, key)).join(" ")}`,
    );
  return obstacles;
}

function listColumnStreamObstacles(table: TableMapping, from: CatalogTable): string[] {
  const obstacles: string[] = [];
  const columns = from.columns.filter(({ name }) =>
    table.columns.some((column) => column.name === name),
  );
  const generated = columns.filter(({ isGenerated }) => isGenerated);
  if (generated.length > 0)
    obstacles.push(
      `The stream omits generated columns: ${joinNames(generated.map(({ name }) => `${from.name}.${name}`))}. ALTER TABLE ${qualifiedTableName(from)} ${generated.map(({ name }) => `ALTER ${quoteIdentifier(name)} DROP EXPRESSION`).join(", ")};`,
    );
  const otherText = columns.filter(({ hasOwnText }) => hasOwnText);
  if (otherText.length > 0)
    obstacles.push(
      `The stream sends these in a different text format than a copy: ${joinNames(otherText.map(({ name, declared }) => `${from.name}.${name} (${declared})`))}. Drop them (--unknown drop), or ALTER TABLE ${qualifiedTableName(from)} ${otherText.map(({ name }) => `ALTER ${quoteIdentifier(name)} TYPE text USING ${quoteIdentifier(name)}::text`).join(", ")};`,
    );
  return obstacles;
}

/** Returns whether the old rows in the stream contain the key. */
function hasReplicaIdentity({ identity, uniques }: CatalogTable, key: readonly string[]): boolean {
  if (identity === "f") return true;
  const index =
    identity === "d"
      ? uniques.find(({ isPrimary, isImmediate }) => isPrimary && isImmediate)
      : identity === "i"
        ? uniques.find(({ isIdentity }) => isIdentity)
        : undefined;
  return index !== undefined && key.every((name) => index.columns.includes(name));
}

function replicaIdentitySql(leaf: CatalogTable, key: readonly string[]): string {
  const usable = leaf.uniques.filter(
    ({ columns, isImmediate }) =>
      isImmediate &&
      key.every((name) => columns.includes(name)) &&
      columns.every((name) =>
        leaf.columns.some((column) => column.name === name && column.isRequired),
      ),
  );
  const identity = usable.some(({ isPrimary }) => isPrimary)
    ? "DEFAULT"
    : usable[0]
      ? `USING INDEX ${quoteIdentifier(usable[0].name)}`
      : "FULL";
  return `ALTER TABLE ${qualifiedTableName(leaf)} REPLICA IDENTITY ${identity};`;
}
