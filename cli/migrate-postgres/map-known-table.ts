// Maps the columns of a known table to those that its source has, and finds what blocks its copy.

import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { type PlanIssue, createBlocker, createNote } from "./plan-issue.ts";
import { joinNames, quoteName } from "./plan-text.ts";
import type { CatalogColumn, CatalogTable } from "./source-catalog.ts";
import { qualifiedTableName } from "./source-sql.ts";
import type { ColumnMapping, TableMapping } from "./table-mapping.ts";

/** Types that this site stores as text and whose ::text does not depend on settings. */
const TEXT_TYPES = new Set([
  "text",
  "varchar",
  "uuid",
  "citext",
  "int2",
  "int4",
  "int8",
  "numeric",
  "name",
]);
const DATE_TYPES = new Set(["timestamp", "timestamptz", "date"]);
/** Returns false for views and foreign tables. */
export const isTable = ({ kind }: CatalogTable): boolean => kind === "r" || kind === "p";

/**
 * Maps the columns of a known table that its source has. Returns a null table for a view or foreign
 * table.
 */
export function mapTable(
  mapping: TableMapping,
  from: CatalogTable,
  role: string,
): { table: TableMapping | null; issues: PlanIssue[] } {
  const { name } = from;
  if (!isTable(from))
    return {
      table: null,
      issues: [
        createBlocker(
          "tables",
          `${name} is a ${from.kind === "f" ? "foreign table" : "view"}, not a table.`,
          `Create a table from it: CREATE TABLE … AS SELECT * FROM ${qualifiedTableName(from)};`,
        ),
      ],
    };
  const issues = findObstacles(from, role);
  const columns: ColumnMapping[] = [];
  for (const column of mapping.columns) {
    const sourceColumn = from.columns.find((one) => one.name === column.name);
    if (!sourceColumn) {
      issues.push(createMissingColumnIssue(from, column));
      continue;
    }
    const isDate = column.as === "date";
    const isConvertible = isDate
      ? DATE_TYPES.has(sourceColumn.type)
      : TEXT_TYPES.has(sourceColumn.type) || sourceColumn.isEnum;
    if (!isConvertible)
      issues.push(
        createBlocker(
          "values",
          `${name}.${column.name} is ${quoteName(sourceColumn.declared)}, which ${isDate ? "is not a date type" : "cannot be stored as text without loss"}.`,
          retypeSql(from, column, sourceColumn),
        ),
      );
    columns.push(
      isDate && (sourceColumn.precision ?? 0) > 3 ? { ...column, hasMicros: true } : column,
    );
  }
  if (issues.every(({ level }) => level !== "stop") && !hasKey(from, mapping.key))
    issues.push(createKeylessIssue(from, mapping.key));
  return { table: { ...mapping, schema: from.schema, columns }, issues };
}

function createMissingColumnIssue(from: CatalogTable, column: ColumnMapping): PlanIssue {
  if (column.isNullable)
    return createNote("tables", `${from.name} has no column ${column.name}: it stays empty.`);
  return createBlocker(
    "tables",
    `${from.name} has no column ${column.name}, which every row needs.`,
    `ALTER TABLE ${qualifiedTableName(from)} ADD ${quoteIdentifier(column.name)} ${column.as === "date" ? "timestamp(3)" : "text"}; and fill it.`,
  );
}

/** Returns blockers: what hides some of the table's rows, or mixes in rows of other tables. */
export function findObstacles(from: CatalogTable, role: string): PlanIssue[] {
  const issues: PlanIssue[] = [];
  const name = qualifiedTableName(from);
  if (!from.canRead)
    issues.push(
      createBlocker(
        "source",
        `The role cannot read ${quoteName(from.name)}.`,
        `GRANT USAGE ON SCHEMA ${quoteIdentifier(from.schema)} TO ${quoteIdentifier(role)}; GRANT SELECT ON ${name} TO ${quoteIdentifier(role)};`,
      ),
    );
  else if (from.hidesRows)
    issues.push(
      createBlocker(
        "source",
        `Row-level security hides rows of ${quoteName(from.name)} from this role.`,
        "Use the table's owner, or a role with BYPASSRLS.",
      ),
    );
  if (from.kind === "r" && from.childTables.length > 0)
    issues.push(
      createBlocker(
        "tables",
        `${joinNames(from.childTables.map((child) => child.name))} ${from.childTables.length === 1 ? "inherits" : "inherit"} from ${quoteName(from.name)}: a copy would include their rows.`,
        from.childTables
          .map((child) => `ALTER TABLE ${qualifiedTableName(child)} NO INHERIT ${name};`)
          .join(" "),
      ),
    );
  return issues;
}

const hasSameNames = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((name) => other.includes(name));
const isRequired = (from: CatalogTable, name: string) =>
  from.columns.some((column) => column.name === name && column.isRequired);

function hasKey(from: CatalogTable, key: readonly string[]): boolean {
  return (
    from.uniques.some(({ columns }) => hasSameNames(columns, key)) &&
    key.every((name) => isRequired(from, name))
  );
}

function createKeylessIssue(from: CatalogTable, key: readonly string[]): PlanIssue {
  const alter = `ALTER TABLE ${qualifiedTableName(from)}`;
  const setNotNull = key.map((name) => `ALTER ${quoteIdentifier(name)} SET NOT NULL`).join(", ");
  const isUnique = from.uniques.some(({ columns }) => hasSameNames(columns, key));
  const hasPrimary = from.uniques.some(({ isPrimary }) => isPrimary);
  const names = key.map(quoteIdentifier).join(", ");
  const fix = isUnique
    ? `${alter} ${setNotNull};`
    : hasPrimary
      ? `${alter} ADD UNIQUE (${names}); ${alter} ${setNotNull};`
      : `${alter} ADD PRIMARY KEY (${names});`;
  return createBlocker(
    "tables",
    `${from.name} has no key: PostgreSQL does not enforce that ${joinNames(key)} is unique and not null.`,
    fix,
  );
}

/**
 * Returns the columns of the primary key, else of the first unique index over required columns,
 * else none.
 */
export function findKey(from: CatalogTable): readonly string[] {
  return (
    from.uniques.find(({ columns }) => columns.every((name) => isRequired(from, name)))?.columns ??
    []
  );
}

function retypeSql(
  from: CatalogTable,
  { name, as }: ColumnMapping,
  { type }: CatalogColumn,
): string {
  const column = quoteIdentifier(name);
  const alter = `ALTER TABLE ${qualifiedTableName(from)} ALTER ${column} TYPE`;
  if (as !== "date") {
    if (type === "bytea")
      return `${alter} text USING …; with the right encoding, such as encode(${column}, 'base64').`;
    return `${alter} text USING ${column}::text;`;
  }
  if (["int4", "int8", "float4", "float8", "numeric"].includes(type))
    return `${alter} timestamptz USING to_timestamp(${column} / 1000.0); (for milliseconds since 1970; for seconds without "/ 1000.0")`;
  // PostgreSQL reads text without a time zone in the session's time zone.
  return `SET timezone = 'UTC'; ${alter} timestamptz USING ${column}::text::timestamptz;`;
}
