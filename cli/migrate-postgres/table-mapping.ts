// Maps the source's tables and columns to the target's.

/** How a PostgreSQL value becomes a SQLite value (convert-values.ts). */
export type Conversion =
  /** Its text form, unchanged. */
  | "text"
  /**
   * Unix time in integer milliseconds. A `timestamp` without time zone is read as UTC, as Prisma
   * writes it.
   */
  | "date"
  /** SHA-256 of the text, in hex: this site stores no session ids in plain text. */
  | "session-id";

export interface ColumnMapping {
  /** The same on both sides. */
  readonly name: string;
  readonly as: Conversion;
  readonly isNullable: boolean;
  /** The only strings that the target accepts: labels of the source's enum. */
  readonly allowed?: readonly string[];
  /** True if the source has microseconds, which are floored to milliseconds. */
  readonly hasMicros?: boolean;
}

/** Maps one source table to one target table. */
export interface TableMapping {
  /** The source's schema and table. */
  readonly schema: string;
  readonly source: string;
  /** One source may have two targets: its own table, and a side table for unknown columns. */
  readonly target: string;
  /** The columns that identify a row, in order; never null. Empty if the table has no key. */
  readonly key: readonly string[];
  /** Includes the key's columns. */
  readonly columns: readonly ColumnMapping[];
  /** True for a text-only table named `_source_…`, for data that this site has no table for. */
  readonly isSide: boolean;
}

/** The prefix of side tables. The name of the source table follows. */
export const SIDE_PREFIX = "_source_";

/** A value as SQLite stores it. */
export type SqliteValue = string | number | null;
/** In the order of TableMapping.columns. */
export type Row = SqliteValue[];

/** Returns the key's values from a row that is in column order. */
export function extractKey<Value>({ key, columns }: TableMapping, row: readonly Value[]): Value[] {
  return key.map((name) => row[columns.findIndex((column) => column.name === name)]!);
}

/** Joins the key's values with spaces. Messages and the quarantine identify a row by this. */
export function formatKey(table: TableMapping, row: readonly unknown[]): string {
  return extractKey(table, row).map(String).join(" ");
}

/** The labels that the target accepts, like the CHECK constraints in prisma/migrations. */
const ROLES = ["ADMIN", "MEMBER"] as const;
const TEAMS = ["RED", "BLUE", "YELLOW"] as const;

const requiredText = (name: string): ColumnMapping => ({ name, as: "text", isNullable: false });
export const optionalText = (name: string): ColumnMapping => ({
  name,
  as: "text",
  isNullable: true,
});
const requiredDate = (name: string): ColumnMapping => ({ name, as: "date", isNullable: false });

/** The four tables that a source site has, parents first: rows can be inserted in this order. */
export const KNOWN_TABLES: readonly TableMapping[] = [
  mapKnownTable("User", [
    requiredText("id"),
    requiredDate("createdAt"),
    requiredDate("updatedAt"),
    requiredText("email"),
    requiredText("firstName"),
    optionalText("discordId"),
    optionalText("convertKitId"),
    { ...requiredText("role"), allowed: ROLES },
    { ...requiredText("team"), allowed: TEAMS },
  ]),
  mapKnownTable("Session", [
    { ...requiredText("id"), as: "session-id" },
    requiredDate("createdAt"),
    requiredText("userId"),
    requiredDate("expirationDate"),
  ]),
  mapKnownTable("Call", [
    requiredText("id"),
    requiredDate("createdAt"),
    requiredDate("updatedAt"),
    requiredText("title"),
    requiredText("description"),
    requiredText("keywords"),
    requiredText("userId"),
    requiredText("base64"),
  ]),
  mapKnownTable("PostRead", [
    requiredText("id"),
    requiredDate("createdAt"),
    optionalText("userId"),
    optionalText("clientId"),
    requiredText("postSlug"),
  ]),
];

function mapKnownTable(name: string, columns: ColumnMapping[]): TableMapping {
  return { schema: "public", source: name, target: name, key: ["id"], columns, isSide: false };
}
