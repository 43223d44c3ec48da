// Builds SQL fragments: quoted names, canonical strings of columns, and key conditions.

import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import type { ColumnMapping, TableMapping } from "./table-mapping.ts";

/** Returns the quoted name: `"public"."User"`. */
export function qualifiedSourceName({
  schema,
  source,
}: Pick<TableMapping, "schema" | "source">): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(source)}`;
}

/** Like qualifiedSourceName, for a table of the catalog. */
export const qualifiedTableName = ({ schema, name }: { schema: string; name: string }) =>
  qualifiedSourceName({ schema, source: name });

/** Returns the quoted column names, separated by commas. */
export const columnListSql = ({ columns }: Pick<TableMapping, "columns">) =>
  columns.map(({ name }) => quoteIdentifier(name)).join(", ");

/**
 * Returns the first of SQLite's three names for the rowid that no column shadows; undefined if
 * columns shadow all of them.
 */
export const findRowidName = ({ columns }: Pick<TableMapping, "columns">) =>
  ["rowid", "_rowid_", "oid"].find((name) =>
    columns.every((column) => column.name.toLowerCase() !== name),
  );

/** Returns PostgreSQL's SQL for the SHA-256 of a session id, in hex. */
export const sessionHashSql = (name: string) =>
  `encode(sha256(convert_to(${quoteIdentifier(name)}::text, 'UTF8')), 'hex')`;

/**
 * Returns PostgreSQL's SQL for a column's canonical text, which both sides hash and the quarantine
 * stores. NULL stays NULL.
 */
export function canonicalSql({ name, as, hasMicros }: ColumnMapping): string {
  const column = quoteIdentifier(name);
  if (as === "text") return `${column}::text`;
  if (as === "session-id") return sessionHashSql(name);
  // date_trunc floors, even before 1970. For four-digit years, a double is precise enough to round
  // to milliseconds.
  const floored = hasMicros ? `date_trunc('milliseconds', ${column})` : column;
  // Outside those years, minutes and milliseconds are computed separately, and the sum rounds like
  // a JavaScript number.
  const outOfRange = `(date_part('epoch', date_trunc('minute', ${column}))::bigint * 1000 + floor(date_part('milliseconds', ${column}))::bigint)::float8::bigint::text`;
  return `CASE WHEN ${column} >= '0001-01-01' AND ${column} < '10000-01-01' THEN (date_part('epoch', ${floored}) * 1000)::bigint::text WHEN isfinite(${column}) THEN ${outOfRange} ELSE ${column}::text END`;
}

/**
 * Returns a condition that `expressions`, one per key column, match any of `keys`, and its
 * parameters, one text array per column.
 */
export function matchKeysSql(
  expressions: readonly string[],
  keys: readonly (readonly string[])[],
): { where: string; values: string[] } {
  const arrays = expressions.map((_, i) => `$${i + 1}::text[]`);
  return {
    where:
      expressions.length === 1
        ? `${expressions[0]} = ANY (${arrays[0]})`
        : `(${expressions.join(", ")}) IN (SELECT * FROM unnest(${arrays.join(", ")}))`,
    // The client encodes a JavaScript array as a PostgreSQL array.
    values: expressions.map((_, i) => keys.map((key) => key[i]!)) as unknown as string[],
  };
}
