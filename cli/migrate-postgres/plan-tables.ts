// Which tables and columns of the source move where, and what can't.

import type { CatalogColumn, CatalogTable } from "./source-catalog.ts";
import {
  type PlanIssue,
  createChoice,
  pluralize,
  joinNames,
  createNote,
  quoteName,
  createBlocker,
} from "./plan-issue.ts";
import {
  QUARANTINE_TABLE,
  type MigrationOptions,
  KNOWN_TABLES,
  type ColumnMapping,
  type TableMapping,
  quoteIdentifier,
  qualifiedSourceName,
} from "./table-mapping.ts";

/** A table that moves, and what the catalog says of its source. */
export interface SelectedTable {
  readonly table: TableMapping;
  readonly from: CatalogTable;
}

export interface TableSelection {
  /** Parents first, side tables after. Those with something that stops them are not among them. */
  readonly chosen: readonly SelectedTable[];
  readonly findings: readonly PlanIssue[];
}

/** Whose ::text is the same wherever it is written, and which this site keeps as text. */
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
/** What tools keep of themselves. */
const TOOL_TABLES = new Set([
  "_prisma_migrations",
  "schema_migrations",
  "ar_internal_metadata",
  "knex_migrations",
  "knex_migrations_lock",
  "pgmigrations",
  "__drizzle_migrations",
]);
/** A row is one statement with a place for each value, thirty-two rows at a time; SQLite takes 32,766 places. */
const MAX_SIDE_COLUMNS = 500;

const isTable = ({ kind }: CatalogTable) => kind === "r" || kind === "p";
const qualifiedTableName = ({ schema, name }: CatalogTable) =>
  qualifiedSourceName({ schema, source: name });

/** Decides nothing that `choices` leaves open: then a finding says what there is to choose. `role` reads the source. */
export function selectTables(
  catalog: readonly CatalogTable[],
  choices: MigrationOptions,
  role: string,
): TableSelection {
  const schema = findSchema(catalog);
  if (schema === null)
    return {
      chosen: [],
      findings: [
        createBlocker(
          "tables",
          `There is none of the tables ${joinNames(KNOWN_TABLES.map(({ source }) => source))} in schema public.`,
          "Check the database's name in --from.",
        ),
      ],
    };
  const findings: PlanIssue[] = [];
  const targets = new Set([QUARANTINE_TABLE.toLowerCase()]);
  const chosen: SelectedTable[] = [];
  const sides: SelectedTable[] = [];
  const here = catalog.filter((table) => table.schema === schema);
  const readable: CatalogTable[] = [];
  for (const known of KNOWN_TABLES) {
    const from = here.find(({ name }) => name === known.source);
    if (!from) {
      findings.push(
        known.source === "User"
          ? createBlocker(
              "tables",
              "There is no table User, and the others' rows point at it.",
              "Check the database's name in --from.",
            )
          : createNote(
              "tables",
              `There is no table ${known.source}: none of its rows move, and this site begins without.`,
            ),
      );
      continue;
    }
    const { table, problems } = mapTable(known, from, role);
    findings.push(...problems);
    const isStopped = problems.some(({ level }) => level === "stop");
    if (table && !isStopped) chosen.push({ table, from });
    readable.push(from);
    const unknown = from.columns.filter(
      ({ name }) => !known.columns.some((column) => column.name === name),
    );
    if (unknown.length === 0) continue;
    const side = createSideTable(
      from,
      [...known.columns.filter(({ name }) => known.key.includes(name)), ...unknown.map(textColumn)],
      known.key,
      targets,
    );
    const what = `${known.source} has ${pluralize(unknown.length, "column")} that this site does not have: ${joinNames(unknown.map(({ name, declared }) => `${name} (${declared})`))}.`;
    const { findings: said, isKept } = checkUnknown(what, side, from, choices, role);
    findings.push(...said);
    if (isKept && !isStopped) sides.push({ table: side, from });
  }
  for (const from of here.filter(
    (table) =>
      isTable(table) &&
      !table.isPartition &&
      !readable.includes(table) &&
      table.extension === null &&
      !TOOL_TABLES.has(table.name),
  )) {
    const side = createSideTable(from, from.columns.map(textColumn), findKey(from), targets);
    const { findings: said, isKept } = checkUnknown(
      `This site has no table for ${quoteName(from.name)} (${pluralize(from.columns.length, "column")}).`,
      side,
      from,
      choices,
      role,
    );
    findings.push(...said);
    if (isKept) sides.push({ table: side, from });
  }
  findings.push(...noteSkippedTables(catalog, schema));
  return { chosen: [...chosen, ...sides], findings };
}

/** public where any of the four is there; else the only schema that has them; null where there is none. */
function findSchema(catalog: readonly CatalogTable[]): string | null {
  const found = [
    ...new Set(
      catalog
        .filter(({ name }) => KNOWN_TABLES.some(({ source }) => source === name))
        .map(({ schema }) => schema),
    ),
  ];
  return found.includes("public") ? "public" : found.length === 1 ? found[0]! : null;
}

/** The part of a known table that its source has, and what stands against it. */
function mapTable(
  known: TableMapping,
  from: CatalogTable,
  role: string,
): { table: TableMapping | null; problems: PlanIssue[] } {
  const { name } = from;
  const problems = findObstacles(from, role);
  if (!isTable(from))
    return {
      table: null,
      problems: [
        createBlocker(
          "tables",
          `${name} is no table but a ${from.kind === "f" ? "foreign table" : "view"}.`,
          `Make a table of it: CREATE TABLE … AS SELECT * FROM ${qualifiedTableName(from)};`,
        ),
      ],
    };
  const columns: ColumnMapping[] = [];
  for (const column of known.columns) {
    const found = from.columns.find((one) => one.name === column.name);
    if (!found) {
      if (column.isNullable)
        problems.push(
          createNote("tables", `${name} has no column ${column.name}: it stays empty.`),
        );
      else
        problems.push(
          createBlocker(
            "tables",
            `${name} has no column ${column.name}, which every row needs.`,
            `ALTER TABLE ${qualifiedTableName(from)} ADD ${quoteIdentifier(column.name)} ${column.as === "date" ? "timestamp(3)" : "text"}; and fill it.`,
          ),
        );
      continue;
    }
    const isDate = column.as === "date";
    if (isDate ? !DATE_TYPES.has(found.type) : !(TEXT_TYPES.has(found.type) || found.isEnum)) {
      problems.push(
        createBlocker(
          "values",
          `${name}.${column.name} is ${quoteName(found.declared)}, which ${isDate ? "is no date" : "can't be kept as a text without a loss"}.`,
          retypeSql(from, column, found),
        ),
      );
    }
    columns.push(isDate && (found.precision ?? 0) > 3 ? { ...column, hasMicros: true } : column);
  }
  if (problems.every(({ level }) => level !== "stop") && !hasKey(from, known.key))
    problems.push(createKeylessIssue(from, known.key));
  return { table: { ...known, schema: from.schema, columns }, problems };
}

/** What makes reading all its rows impossible, or more than its own rows. */
function findObstacles(from: CatalogTable, role: string): PlanIssue[] {
  const problems: PlanIssue[] = [];
  if (!from.canRead)
    problems.push(
      createBlocker(
        "source",
        `The role may not read ${quoteName(from.name)}.`,
        `GRANT USAGE ON SCHEMA ${quoteIdentifier(from.schema)} TO ${quoteIdentifier(role)}; GRANT SELECT ON ${qualifiedTableName(from)} TO ${quoteIdentifier(role)};`,
      ),
    );
  else if (from.hidesRows)
    problems.push(
      createBlocker(
        "source",
        `Row-level security of ${quoteName(from.name)} keeps rows from this role.`,
        "Use the table's owner, or a role with BYPASSRLS.",
      ),
    );
  if (from.kind === "r" && from.heirs.length > 0) {
    const names = from.heirs.map((heir) => heir.name);
    problems.push(
      createBlocker(
        "tables",
        `${joinNames(names)} ${names.length === 1 ? "inherits" : "inherit"} from ${quoteName(from.name)}: their rows would be taken for its own.`,
        from.heirs
          .map(
            (heir) =>
              `ALTER TABLE ${qualifiedTableName(heir)} NO INHERIT ${qualifiedTableName(from)};`,
          )
          .join(" "),
      ),
    );
  }
  return problems;
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
  const names = key.map(quoteIdentifier).join(", ");
  const isUnique = from.uniques.some(({ columns }) => hasSameNames(columns, key));
  const hasPrimary = from.uniques.some(({ isPrimary }) => isPrimary);
  const fix = isUnique
    ? `ALTER TABLE ${qualifiedTableName(from)} ${key.map((name) => `ALTER ${quoteIdentifier(name)} SET NOT NULL`).join(", ")};`
    : `ALTER TABLE ${qualifiedTableName(from)} ADD ${hasPrimary ? "UNIQUE" : "PRIMARY KEY"} (${names});${hasPrimary ? key.map((name) => ` ALTER TABLE ${qualifiedTableName(from)} ALTER ${quoteIdentifier(name)} SET NOT NULL;`).join("") : ""}`;
  return createBlocker(
    "tables",
    `${from.name} has no key: nothing in Postgres says that ${joinNames(key)} is there once in every row.`,
    fix,
  );
}

/** The primary key; else the first unique index over columns that are never null; else none. */
function findKey(from: CatalogTable): readonly string[] {
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
      return `${alter} text USING …; say how its bytes are written, such as encode(${column}, 'base64').`;
    return `${alter} text USING ${column}::text;`;
  }
  if (["int4", "int8", "float4", "float8", "numeric"].includes(type))
    return `${alter} timestamptz USING to_timestamp(${column} / 1000.0); (where it holds milliseconds since 1970; seconds without "/ 1000.0")`;
  // A text without a zone would be read in the session's.
  return `SET timezone = 'UTC'; ${alter} timestamptz USING ${column}::text::timestamptz;`;
}

const textColumn = ({ name }: CatalogColumn): ColumnMapping => ({
  name,
  as: "text",
  isNullable: true,
});

/** SQLite takes names that differ by case for the same; `targets` has those that are taken, in lower case. */
function createSideTable(
  from: CatalogTable,
  columns: readonly ColumnMapping[],
  key: readonly string[],
  targets: Set<string>,
): TableMapping {
  let target = `Moved_${from.name}`;
  for (let n = 2; targets.has(target.toLowerCase()); n += 1) target = `Moved_${from.name}_${n}`;
  targets.add(target.toLowerCase());
  return { schema: from.schema, source: from.name, target, key, columns, isSide: true };
}

function checkUnknown(
  what: string,
  side: TableMapping,
  from: CatalogTable,
  { unknown }: MigrationOptions,
  role: string,
): { findings: PlanIssue[]; isKept: boolean } {
  const leave = "--unknown drop leaves it behind.";
  if (unknown === "drop")
    return {
      findings: [createNote("tables", `${what} Left behind (--unknown drop).`)],
      isKept: false,
    };
  const names = side.columns.map(({ name }) => name.toLowerCase());
  const twice = side.columns.filter(
    ({ name }) => names.indexOf(name.toLowerCase()) !== names.lastIndexOf(name.toLowerCase()),
  );
  if (names.length === 0)
    return { findings: [createNote("tables", `${what} Its rows hold nothing.`)], isKept: false };
  if (twice.length > 0)
    return {
      findings: [
        createBlocker(
          "tables",
          `${what} SQLite would take ${joinNames(twice.map(({ name }) => name))} for the same column.`,
          `Rename one of them in Postgres; or ${leave}`,
        ),
      ],
      isKept: false,
    };
  if (names.length > MAX_SIDE_COLUMNS)
    return {
      findings: [
        createBlocker(
          "tables",
          `${what} A side table can have ${MAX_SIDE_COLUMNS} at most.`,
          leave,
        ),
      ],
      isKept: false,
    };
  if (unknown === "stop")
    return {
      findings: [
        createChoice(
          "tables",
          what,
          `--unknown keep puts ${from.name === side.source && side.columns.length === from.columns.length ? "it" : "them"} into the table ${quoteName(side.target)}, as text; --unknown drop leaves ${side.columns.length === from.columns.length ? "it" : "them"} behind.`,
        ),
      ],
      isKept: false,
    };
  const obstacles = findObstacles(from, role).map((problem) => ({
    ...problem,
    fix: `${problem.fix} Or ${leave}`,
  }));
  if (obstacles.length > 0) return { findings: obstacles, isKept: false };
  const unfollowed =
    side.key.length === 0
      ? " It has no key: its rows are copied anew at every comparison, as they are then."
      : "";
  return {
    findings: [
      createNote("tables", `${what} Kept in ${quoteName(side.target)}, as text.${unfollowed}`),
    ],
    isKept: true,
  };
}

/** Names what is in the source and is none of the site's rows. */
function noteSkippedTables(catalog: readonly CatalogTable[], schema: string): PlanIssue[] {
  const findings: PlanIssue[] = [];
  const here = catalog.filter(
    (table) => table.schema === schema && !KNOWN_TABLES.some(({ source }) => source === table.name),
  );
  const say = (tables: readonly CatalogTable[], what: (names: string) => string) => {
    if (tables.length > 0)
      findings.push(createNote("tables", what(joinNames(tables.map(({ name }) => name)))));
  };
  const own = here.filter(({ extension }) => extension === null);
  say(
    own.filter((table) => isTable(table) && TOOL_TABLES.has(table.name)),
    (names) => `Not moved, since only tools of the old site need it: ${names}.`,
  );
  say(
    own.filter(({ kind }) => kind === "v" || kind === "m"),
    (names) => `Not moved, since views hold nothing of their own: ${names}.`,
  );
  say(
    own.filter(({ kind, isPartition }) => kind === "f" && !isPartition),
    (names) => `Not moved, since the rows of foreign tables are elsewhere: ${names}.`,
  );
  say(
    here.filter(({ extension }) => extension !== null),
    (names) => `Not moved, since it belongs to an extension: ${names}.`,
  );
  for (const [other, tables] of Map.groupBy(
    catalog.filter(
      (table) =>
        table.schema !== schema && isTable(table) && !table.isPartition && table.extension === null,
    ),
    (table) => table.schema,
  )) {
    findings.push(
      createNote(
        "tables",
        `Not moved, since it is in another schema (${quoteName(other)}): ${joinNames(tables.map(({ name }) => name))}.`,
      ),
    );
  }
  return findings;
}
