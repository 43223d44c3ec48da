// What a move is made of: which tables and columns go where, and what the owner chose for what does not fit.

/** How a value of Postgres becomes one of SQLite; see convert.ts. */
export type Conversion =
  /** Its text form, as it is. */
  | "text"
  /** Milliseconds since 1970-01-01 UTC, an integer. The source's `timestamp` is read as UTC, as Prisma writes it. */
  | "date"
  /** SHA-256 of the text in hex: what this site keeps in place of a session's id. */
  | "session-id";

export interface MoveColumn {
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
export interface MoveTable {
  /** The source's schema and table. */
  readonly schema: string;
  readonly source: string;
  /** Two targets may have one source: its own table, and a side table for the columns that this site does not have. */
  readonly target: string;
  /** The columns that name a row, in order; never null. */
  readonly key: readonly string[];
  /** The key's columns are among them. */
  readonly columns: readonly MoveColumn[];
  /** Made by the move, all of text, since this site has no table for it. Its name begins with "Moved_". */
  readonly isSide: boolean;
}

/** A value as SQLite stores it. */
export type Value = string | number | null;
/** In the order of MoveTable.columns. */
export type Row = Value[];

/** What to do with what can't be moved as it is. "stop" is the default everywhere: nothing is decided silently. */
export interface Choices {
  /** Columns and tables that this site does not have: `keep` puts them into side tables of text, `drop` leaves them behind. */
  readonly unknown: "stop" | "keep" | "drop";
  /** Rows that the target's rules refuse (infinite dates, unknown teams, orphans): `aside` keeps them, whole, in the table `Moved_aside`. */
  readonly unfit: "stop" | "aside";
}

export const DEFAULT_CHOICES: Choices = { unknown: "stop", unfit: "stop" };

/** The labels that the target takes; prisma/migrations holds the same as CHECKs. */
const ROLES = ["ADMIN", "MEMBER"] as const;
const TEAMS = ["RED", "BLUE", "YELLOW"] as const;

const text = (name: string): MoveColumn => ({ name, as: "text", isNullable: false });
const optional = (name: string): MoveColumn => ({ name, as: "text", isNullable: true });
const date = (name: string): MoveColumn => ({ name, as: "date", isNullable: false });

/** The four tables and their columns (reference.md, Data), parents first: the order in which rows can arrive. */
export const KNOWN_TABLES: readonly MoveTable[] = [
  known("User", [
    text("id"),
    date("createdAt"),
    date("updatedAt"),
    text("email"),
    text("firstName"),
    optional("discordId"),
    optional("convertKitId"),
    { ...text("role"), allowed: ROLES },
    { ...text("team"), allowed: TEAMS },
  ]),
  known("Session", [
    { ...text("id"), as: "session-id" },
    date("createdAt"),
    text("userId"),
    date("expirationDate"),
  ]),
  known("Call", [
    text("id"),
    date("createdAt"),
    date("updatedAt"),
    text("title"),
    text("description"),
    text("keywords"),
    text("userId"),
    text("base64"),
  ]),
  known("PostRead", [
    text("id"),
    date("createdAt"),
    optional("userId"),
    optional("clientId"),
    text("postSlug"),
  ]),
];

function known(name: string, columns: MoveColumn[]): MoveTable {
  return { schema: "public", source: name, target: name, key: ["id"], columns, isSide: false };
}

/** What a move makes in the source bears this name: its slot and its publication. */
export const MOVE_NAME = "lectern_move";

/** Where rows are kept that the target's rules refuse: `row` is a JSON array of the columns' texts, in order. */
export const ASIDE_TABLE = "Moved_aside";

/** An identifier in quotes, for Postgres and SQLite alike. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** "public"."User" */
export function sourceName(table: Pick<MoveTable, "schema" | "source">): string {
  return `${quoted(table.schema)}.${quoted(table.source)}`;
}
