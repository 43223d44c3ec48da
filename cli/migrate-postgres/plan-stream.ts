// What keeps the source from streaming its changes: the server's settings, the role's rights, the tables' own.

import type { CatalogTable } from "./source-catalog.ts";
import { joinNames, quoteName } from "./plan-issue.ts";
import { quoteIdentifier, qualifiedSourceName } from "./table-mapping.ts";
import type { SourceFacts } from "./plan-source.ts";
import type { SelectedTable } from "./plan-tables.ts";
import { listStreamedTables } from "./replication-slot.ts";

/** Publications of partitioned tables under their own name came with it. */
const PARTITION_ROOT_MIN_VERSION = 130_000;

const qualifiedTableName = ({ schema, name }: CatalogTable) =>
  qualifiedSourceName({ schema, source: name });

/** Why the server can't stream, a sentence with the remedy each; none where it can. */
export function listServerStreamObstacles(facts: SourceFacts): string[] {
  const { walLevel, mayReplicate, mayCreate, freeSlots, freeSenders, provider, role, database } =
    facts;
  const setting = (name: string, value: string) =>
    `Change it (ALTER SYSTEM SET ${name} = ${value}), and restart PostgreSQL.`;
  const why: string[] = [];
  if (walLevel !== "logical") {
    const remedy =
      provider === "rds"
        ? "Set rds.logical_replication = 1 in the parameter group, and restart it."
        : provider === "google"
          ? "Set the flag cloudsql.logical_decoding = on, which restarts it."
          : setting("wal_level", "logical");
    why.push(`wal_level is ${walLevel}, not logical. ${remedy}`);
  }
  if (!mayReplicate)
    why.push(
      `The role may not replicate. ${provider === "rds" ? `GRANT rds_replication TO ${quoteIdentifier(role)};` : `ALTER ROLE ${quoteIdentifier(role)} REPLICATION;`}`,
    );
  if (!mayCreate)
    why.push(
      `The role may not make a publication. GRANT CREATE ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(role)};`,
    );
  if (freeSlots < 1)
    why.push(
      `Every replication slot is taken. Drop one that nobody needs (pg_drop_replication_slot), or raise max_replication_slots. ${setting("max_replication_slots", "20")}`,
    );
  if (freeSenders < 1)
    why.push(
      `Every sender of the log (max_wal_senders) is taken. ${setting("max_wal_senders", "20")}`,
    );
  return why;
}

/** The same of the tables that would be streamed. Without a key none is (slot.ts), so nothing is asked of it. */
export function listTableStreamObstacles(
  chosen: readonly SelectedTable[],
  { versionNumber, role }: SourceFacts,
): string[] {
  const streamed = new Set(listStreamedTables(chosen.map(({ table }) => table)));
  const moved = chosen.filter(({ table }) => streamed.has(table));
  const sources = [...new Set(moved.map(({ from }) => from))];
  const why: string[] = [];
  const strange = sources.filter(({ isOwned }) => !isOwned);
  if (strange.length > 0)
    why.push(
      `Only its owner can publish a table: ${joinNames(strange.map(({ name }) => name))}. Use the owner's role, or ${strange.map((from) => `ALTER TABLE ${qualifiedTableName(from)} OWNER TO ${quoteIdentifier(role)};`).join(" ")}`,
    );
  for (const from of sources) {
    const leaves = from.kind === "p" ? from.heirs : [from];
    if (from.kind === "p" && versionNumber < PARTITION_ROOT_MIN_VERSION)
      why.push(
        `${quoteName(from.name)} has partitions, which this server can't publish as one table. PostgreSQL 13 can.`,
      );
    const unlogged = leaves.filter(({ isUnlogged }) => isUnlogged);
    if (unlogged.length > 0)
      why.push(
        `The log says nothing of the unlogged ${joinNames(unlogged.map(({ name }) => name))}. ${unlogged.map((leaf) => `ALTER TABLE ${qualifiedTableName(leaf)} SET LOGGED;`).join(" ")}`,
      );
    if (leaves.some(({ kind }) => kind === "f"))
      why.push(`${quoteName(from.name)} has partitions on another server.`);
    const { key } = moved.find((one) => one.from === from)!.table;
    const nameless = leaves.filter((leaf) => leaf.kind !== "f" && !hasReplicaIdentity(leaf, key));
    if (nameless.length > 0)
      why.push(
        `The stream would not say which row of ${quoteName(from.name)} was changed or deleted. ${nameless.map((leaf) => replicaIdentitySql(leaf, key)).join(" ")}`,
      );
  }
  for (const { table, from } of moved) {
    const columns = from.columns.filter(({ name }) =>
      table.columns.some((column) => column.name === name),
    );
    const computed = columns.filter(({ isGenerated }) => isGenerated);
    if (computed.length > 0)
      why.push(
        `The stream leaves out what Postgres computes: ${joinNames(computed.map(({ name }) => `${from.name}.${name}`))}. ALTER TABLE ${qualifiedTableName(from)} ${computed.map(({ name }) => `ALTER ${quoteIdentifier(name)} DROP EXPRESSION`).join(", ")};`,
      );
    const other = columns.filter(({ hasOwnText }) => hasOwnText);
    if (other.length > 0)
      why.push(
        `The stream writes another text than a copy does: ${joinNames(other.map(({ name, declared }) => `${from.name}.${name} (${declared})`))}. Leave them behind (--unknown drop), or ALTER TABLE ${qualifiedTableName(from)} ${other.map(({ name }) => `ALTER ${quoteIdentifier(name)} TYPE text USING ${quoteIdentifier(name)}::text`).join(", ")};`,
      );
  }
  return why;
}

/** Whether the stream's old rows hold the key. */
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
  const having = leaf.uniques.filter(
    ({ columns, isImmediate }) =>
      isImmediate &&
      key.every((name) => columns.includes(name)) &&
      columns.every((name) =>
        leaf.columns.some((column) => column.name === name && column.isRequired),
      ),
  );
  const how = having.some(({ isPrimary }) => isPrimary)
    ? "DEFAULT"
    : having[0]
      ? `USING INDEX ${quoteIdentifier(having[0].name)}`
      : "FULL";
  return `ALTER TABLE ${qualifiedTableName(leaf)} REPLICA IDENTITY ${how};`;
}
