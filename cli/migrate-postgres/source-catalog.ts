// Reads the source's tables from its catalog.

import type pg from "pg";
import { readRows } from "./source-connection.ts";

export interface CatalogColumn {
  readonly name: string;
  /** As declared: "timestamp(3) without time zone". */
  readonly declared: string;
  /** The name in pg_type; for a domain, its base type. */
  readonly type: string;
  readonly isEnum: boolean;
  /** Labels of an enum. */
  readonly labels: readonly string[];
  /** Fractional digits of seconds; null for other types. */
  readonly precision: number | null;
  readonly isRequired: boolean;
  /** A generated column. */
  readonly isGenerated: boolean;
  /** True if ::text uses a cast function, whose text may differ from the stream's. */
  readonly hasOwnText: boolean;
}

export interface CatalogIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isPrimary: boolean;
  /** Not deferrable. */
  readonly isImmediate: boolean;
  /** Identifies rows in the stream (REPLICA IDENTITY USING INDEX). */
  readonly isIdentity: boolean;
}

export interface CatalogTable {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  /** r: table, p: partitioned table, v: view, m: materialized view, f: foreign table. */
  readonly kind: "r" | "p" | "v" | "m" | "f";
  readonly isPartition: boolean;
  readonly isUnlogged: boolean;
  readonly canRead: boolean;
  /** True if row-level security hides rows from this role. */
  readonly hidesRows: boolean;
  readonly isOwned: boolean;
  /** The extension that it belongs to, or null. */
  readonly extension: string | null;
  /** REPLICA IDENTITY: d: default, n: nothing, f: full, i: index. */
  readonly identity: "d" | "n" | "f" | "i";
  /** Bytes on the server's disk, without indexes and partitions. */
  readonly bytes: number;
  readonly columns: readonly CatalogColumn[];
  /** Unique indexes over plain columns (no expressions) and all rows, the primary key first. */
  readonly uniques: readonly CatalogIndex[];
  /** Leaf partitions, or tables that inherit from it. */
  readonly childTables: readonly CatalogTable[];
}

const USER_SCHEMAS_CONDITION = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;

const TABLES_SQL = `
  SELECT json_build_object('id', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'isPartition', c.relispartition, 'isUnlogged', c.relpersistence = 'u',
    'canRead', has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), 'hidesRows', row_security_active(c.oid),
    'isOwned', pg_has_role(c.relowner, 'USAGE'), 'identity', c.relreplident, 'bytes', CASE WHEN c.relkind IN ('r', 'm') THEN pg_table_size(c.oid) ELSE 0 END,
    'extension', (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' LIMIT 1)
  )::text AS row FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${USER_SCHEMAS_CONDITION} ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

/**
 * Resolves domains to their base type and typmod. xml has a different header in the stream than in
 * ::text.
 */
const columnsSql = (hasGenerated: boolean) => `
  WITH RECURSIVE based AS (
    SELECT oid, oid AS base, -1 AS typmod FROM pg_type WHERE typtype <> 'd'
    UNION ALL SELECT d.oid, based.base, COALESCE(NULLIF(d.typtypmod, -1), based.typmod) FROM pg_type d JOIN based ON d.typbasetype = based.oid WHERE d.typtype = 'd'
  )
  SELECT json_build_object('table', a.attrelid::int8, 'name', a.attname, 'declared', format_type(a.atttypid, a.atttypmod), 'type', t.typname, 'isEnum', t.typtype = 'e',
    'labels', COALESCE((SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '[]'),
    'precision', CASE WHEN t.typname IN ('timestamp', 'timestamptz') THEN CASE WHEN COALESCE(NULLIF(a.atttypmod, -1), based.typmod) < 0 THEN 6 ELSE COALESCE(NULLIF(a.atttypmod, -1), based.typmod) END END,
    'isRequired', a.attnotnull, 'isGenerated', ${hasGenerated ? "a.attgenerated <> ''" : "false"},
    'hasOwnText', t.typname = 'xml' OR (t.typname NOT IN ('char', 'name', 'cidr') AND EXISTS (SELECT FROM pg_cast WHERE castsource = t.oid AND casttarget = 'text'::regtype AND castmethod = 'f'))
  )::text AS row FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN based ON based.oid = a.atttypid JOIN pg_type t ON t.oid = based.base
  WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND ${USER_SCHEMAS_CONDITION} ORDER BY a.attrelid, a.attnum`;

const UNIQUE_INDEXES_SQL = `
  SELECT json_build_object('table', i.indrelid::int8, 'name', x.relname, 'isPrimary', i.indisprimary, 'isImmediate', i.indimmediate, 'isIdentity', i.indisreplident,
    'columns', (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE k.n <= i.indnkeyatts)
  )::text AS row FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND ${USER_SCHEMAS_CONDITION} ORDER BY i.indisprimary DESC, x.relname COLLATE "C"`;

const INHERITANCE_SQL = `SELECT json_build_object('child', i.inhrelid::int8, 'parent', i.inhparent::int8)::text AS row FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p', 'f')`;

/**
 * Reads every table and view outside the system schemas, in the caller's transaction, even without
 * privileges. Views have no columns here.
 */
export async function readSourceCatalog(
  client: pg.Client,
  versionNumber: number,
): Promise<CatalogTable[]> {
  const read = async <Row>(sql: string): Promise<Row[]> =>
    (await readRows<{ row: string }>(client, sql)).map(({ row }) => JSON.parse(row) as Row);
  const tables = await read<Omit<CatalogTable, "columns" | "uniques" | "childTables">>(TABLES_SQL);
  const columns = Map.groupBy(
    await read<CatalogColumn & { table: number }>(columnsSql(versionNumber >= 120_000)),
    ({ table }) => table,
  );
  const uniques = Map.groupBy(
    await read<CatalogIndex & { table: number }>(UNIQUE_INDEXES_SQL),
    ({ table }) => table,
  );
  const children = Map.groupBy(
    await read<{ child: number; parent: number }>(INHERITANCE_SQL),
    ({ parent }) => parent,
  );
  const byId = new Map<number, CatalogTable>();
  for (const table of tables)
    byId.set(table.id, {
      ...table,
      columns: columns.get(table.id) ?? [],
      uniques: uniques.get(table.id) ?? [],
      childTables: [],
    });
  const findLeaves = (id: number): CatalogTable[] =>
    (children.get(id) ?? []).flatMap(({ child }) => {
      const leaves = findLeaves(child);
      const table = byId.get(child);
      return leaves.length > 0 ? leaves : table ? [table] : [];
    });
  return [...byId.values()].map((table) => ({ ...table, childTables: findLeaves(table.id) }));
}
