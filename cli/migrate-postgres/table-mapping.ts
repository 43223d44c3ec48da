// What a move is made of: which tables and columns go where, and what the owner chose for what does not fit.

/** How a value of Postgres becomes one of SQLite; see convert.ts. */
export type Conversion =
  /** Its text form, as it is. */
  | "text"
  /** Milliseconds since 1970-01-01 UTC, an integer. The source's `timestamp` is read as UTC, as Prisma writes it. */
  | "date"
  /** SHA-256 of the text in hex: what this site keeps in place of a session's id. */
  | "session-id";

export interface ColumnMapping {
  /** The same on both sides. */
  readonly name: string;
  readonly as: Conversion;
  readonly isNullable: boolean;
  /** The only texts that the target takes, where it is choosy: the labels of what was an enum. */
  readonly allowed?: readonly string[];
  /** A date that the source keeps to the microsecond: it is floored to the millisecond. */
  readonly hasMicros?: boolean;
}

/** Rows of one table of the source on their way to one table of the target. */
export interface TableMapping {
  /** The source's schema and table. */
  readonly schema: string;
  readonly source: string;
  /** Two targets may have one source: its own table, and a side table for the columns that this site does not have. */
  readonly target: string;
  /** The columns that name a row, in order; never null. */
  readonly key: readonly string[];
  /** The key's columns are among them. */
  readonly columns: readonly ColumnMapping[];
  /** Made by the move, all of text, since this site has no table for it. Its name begins with "Moved_". */
  readonly isSide: boolean;
}

/** A value as SQLite stores it. */
export type SqliteValue = string | number | null;
/** In the order of MoveTable.columns. */
export type Row = SqliteValue[];

/** What to do with what can't be moved as it is. "stop" is the default everywhere: nothing is decided silently. */
export interface MigrationOptions {
  /** Columns and tables that this site does not have: `keep` puts them into side tables of text, `drop` leaves them behind. */
  readonly unknown: "stop" | "keep" | "drop";
  /** Rows that the target's rules refuse (infinite dates, unknown teams, orphans): `aside` keeps them, whole, in the table `Moved_aside`. */
  readonly unfit: "stop" | "aside";
}

export const DEFAULT_OPTIONS: MigrationOptions = { unknown: "stop", unfit: "stop" };

/** The labels that the target takes; prisma/migrations holds the same as CHECKs. */
const ROLES = ["ADMIN", "MEMBER"] as const;
const TEAMS = ["RED", "BLUE", "YELLOW"] as const;

const requiredText = (name: string): ColumnMapping => ({ name, as: "text", isNullable: false });
const optionalText = (name: string): ColumnMapping => ({ name, as: "text", isNullable: true });
const requiredDate = (name: string): ColumnMapping => ({ name, as: "date", isNullable: false });

/** The four tables and their columns (reference.md, Data), parents first: the order in which rows can arrive. */
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

/** What a move makes in the source bears this name: its slot and its publication. */
export const SLOT_NAME = "lectern_move";

/** Where rows are kept that the target's rules refuse: `row` is a JSON array of the columns' texts, in order. */
export const QUARANTINE_TABLE = "Moved_aside";

/** An identifier in quotes, for Postgres and SQLite alike. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** "public"."User" */
export function qualifiedSourceName(table: Pick<TableMapping, "schema" | "source">): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.source)}`;
}
