// Selects the tables and columns of the source that migrate, and their targets.

import { findKey, findObstacles, isTable, mapTable } from "./map-known-table.ts";
import type { MigrationOptions } from "./options.ts";
import { type PlanIssue, createBlocker, createChoice, createNote } from "./plan-issue.ts";
import { joinNames, pluralize, quoteName } from "./plan-text.ts";
import type { CatalogColumn, CatalogTable } from "./source-catalog.ts";
import { findRowidName } from "./source-sql.ts";
import {
  type ColumnMapping,
  KNOWN_TABLES,
  SIDE_PREFIX,
  type TableMapping,
  optionalText,
} from "./table-mapping.ts";

/** A table that migrates, and its source in the catalog. */
export interface SelectedTable {
  readonly table: TableMapping;
  readonly from: CatalogTable;
}

export interface TableSelection {
  /** Parents first, side tables last. Tables with a blocker are omitted. */
  readonly tables: readonly SelectedTable[];
  readonly issues: readonly PlanIssue[];
}

/** Bookkeeping tables of schema migration tools. */
const TOOL_TABLES = new Set([
  "_prisma_migrations",
  "schema_migrations",
  "ar_internal_metadata",
  "knex_migrations",
  "knex_migrations_lock",
  "pgmigrations",
  "__drizzle_migrations",
]);
/** One statement inserts 32 rows (load-rows.worker.ts), and SQLite allows 32,766 parameters. */
const MAX_SIDE_COLUMNS = 500;

const isKnownSource = (name: string) => KNOWN_TABLES.some(({ source }) => source === name);
const toTextColumn = ({ name }: CatalogColumn) => optionalText(name);

/**
 * Selects tables by `options`; anything they leave open becomes a choice. `role` is the role that
 * reads the source.
 */
export function selectTables(
  catalog: readonly CatalogTable[],
  options: MigrationOptions,
  role: string,
): TableSelection {
  const schema = findSchema(catalog);
  if (schema === null)
    return {
      tables: [],
      issues: [
        createBlocker(
          "tables",
          `Schema public has none of the tables ${joinNames(KNOWN_TABLES.map(({ source }) => source))}.`,
          "Check the database's name in --from.",
        ),
      ],
    };
  const inSchema = catalog.filter((table) => table.schema === schema);
  const selection = {
    tables: [] as SelectedTable[],
    sides: [] as SelectedTable[],
    issues: [] as PlanIssue[],
  };
  const takenNames = new Set<string>();
  const addSide = (
    description: string,
    side: TableMapping,
    from: CatalogTable,
    isBlocked: boolean,
  ) => {
    const { issues, isKept } = checkUnknown(description, side, from, options, role);
    selection.issues.push(...issues);
    if (isKept && !isBlocked) selection.sides.push({ table: side, from });
  };
  for (const mapping of KNOWN_TABLES) {
    const from = inSchema.find(({ name }) => name === mapping.source);
    if (!from) {
      selection.issues.push(createMissingTableIssue(mapping.source));
      continue;
    }
    const { table, issues } = mapTable(mapping, from, role);
    selection.issues.push(...issues);
    const isBlocked = issues.some(({ level }) => level === "stop");
    if (table && !isBlocked) selection.tables.push({ table, from });
    const unknownColumns = from.columns.filter(
      ({ name }) => !mapping.columns.some((column) => column.name === name),
    );
    if (unknownColumns.length === 0) continue;
    const keyColumns = mapping.columns.filter(({ name }) => mapping.key.includes(name));
    const columns = [...keyColumns, ...unknownColumns.map(toTextColumn)];
    addSide(
      `${mapping.source} has ${pluralize(unknownColumns.length, "column")} that this site does not have: ${joinNames(unknownColumns.map(({ name, declared }) => `${name} (${declared})`))}.`,
      createSideTable(from, columns, mapping.key, takenNames),
      from,
      isBlocked,
    );
  }
  for (const from of inSchema.filter(isUnknownTable))
    addSide(
      `This site has no table for ${quoteName(from.name)} (${pluralize(from.columns.length, "column")}).`,
      createSideTable(from, from.columns.map(toTextColumn), findKey(from), takenNames),
      from,
      false,
    );
  return {
    tables: [...selection.tables, ...selection.sides],
    issues: [...selection.issues, ...noteSkippedTables(catalog, schema)],
  };
}

/** Returns public if it has any known table, else the only schema that has one, else null. */
function findSchema(catalog: readonly CatalogTable[]): string | null {
  const schemas = [
    ...new Set(catalog.filter(({ name }) => isKnownSource(name)).map(({ schema }) => schema)),
  ];
  return schemas.includes("public") ? "public" : schemas.length === 1 ? schemas[0]! : null;
}

const isUnknownTable = (table: CatalogTable) =>
  isTable(table) &&
  !table.isPartition &&
  table.extension === null &&
  !isKnownSource(table.name) &&
  !TOOL_TABLES.has(table.name);

const createMissingTableIssue = (name: string) =>
  name === "User"
    ? createBlocker(
        "tables",
        "There is no User table, which the other tables reference.",
        "Check the database's name in --from.",
      )
    : createNote("tables", `There is no table ${name}: this site starts without its rows.`);

/** Names a side table. SQLite ignores case in names, so `takenNames` holds them in lower case. */
function createSideTable(
  from: CatalogTable,
  columns: readonly ColumnMapping[],
  key: readonly string[],
  takenNames: Set<string>,
): TableMapping {
  let target = SIDE_PREFIX + from.name;
  for (let n = 2; takenNames.has(target.toLowerCase()); n += 1)
    target = `${SIDE_PREFIX}${from.name}_${n}`;
  takenNames.add(target.toLowerCase());
  return { schema: from.schema, source: from.name, target, key, columns, isSide: true };
}

function checkUnknown(
  description: string,
  side: TableMapping,
  from: CatalogTable,
  { unknown }: MigrationOptions,
  role: string,
): { issues: PlanIssue[]; isKept: boolean } {
  const skip = (issue: PlanIssue) => ({ issues: [issue], isKept: false });
  const isWholeTable = side.columns.length === from.columns.length;
  const them = isWholeTable ? "it" : "them";
  const dropHint = `--unknown drop leaves ${them} out.`;
  if (unknown === "drop")
    return skip(createNote("tables", `${description} Left out (--unknown drop).`));
  const names = side.columns.map(({ name }) => name.toLowerCase());
  if (names.length === 0) return skip(createNote("tables", `${description} Its rows are empty.`));
  const duplicates = side.columns.filter(
    ({ name }) => names.indexOf(name.toLowerCase()) !== names.lastIndexOf(name.toLowerCase()),
  );
  if (duplicates.length > 0)
    return skip(
      createBlocker(
        "tables",
        `${description} SQLite cannot tell the columns ${joinNames(duplicates.map(({ name }) => name))} apart.`,
        `Rename one of them in PostgreSQL; or ${dropHint}`,
      ),
    );
  if (findRowidName(side) === undefined)
    return skip(
      createBlocker(
        "tables",
        `${description} SQLite cannot identify rows if rowid, _rowid_ and oid are all columns.`,
        `Rename one of them in PostgreSQL; or ${dropHint}`,
      ),
    );
  if (names.length > MAX_SIDE_COLUMNS)
    return skip(
      createBlocker(
        "tables",
        `${description} A side table can have ${MAX_SIDE_COLUMNS} columns at most.`,
        dropHint,
      ),
    );
  if (unknown === "stop")
    return skip(
      createChoice(
        "tables",
        description,
        `--unknown keep copies ${them} as text into the table ${quoteName(side.target)}; ${dropHint}`,
      ),
    );
  const obstacles = findObstacles(from, role).map((issue) => ({
    ...issue,
    fix: `${issue.fix} Or ${dropHint}`,
  }));
  if (obstacles.length > 0) return { issues: obstacles, isKept: false };
  const hint =
    side.key.length === 0 ? " It has no key: every comparison copies all its rows again." : "";
  return {
    issues: [
      createNote("tables", `${description} Kept as text in ${quoteName(side.target)}.${hint}`),
    ],
    isKept: true,
  };
}

/** Notes the tables of the source that do not migrate. */
function noteSkippedTables(catalog: readonly CatalogTable[], schema: string): PlanIssue[] {
  const issues: PlanIssue[] = [];
  const note = (reason: string, tables: readonly CatalogTable[]) => {
    if (tables.length > 0)
      issues.push(
        createNote(
          "tables",
          `Not migrated, ${reason}: ${joinNames(tables.map(({ name }) => name))}.`,
        ),
      );
  };
  const others = catalog.filter((table) => table.schema === schema && !isKnownSource(table.name));
  const ownTables = others.filter(({ extension }) => extension === null);
  note(
    "used only by tools of the source site",
    ownTables.filter((table) => isTable(table) && TOOL_TABLES.has(table.name)),
  );
  note(
    "views have no rows of their own",
    ownTables.filter(({ kind }) => kind === "v" || kind === "m"),
  );
  note(
    "foreign tables have their rows elsewhere",
    ownTables.filter(({ kind, isPartition }) => kind === "f" && !isPartition),
  );
  note(
    "part of an extension",
    others.filter(({ extension }) => extension !== null),
  );
  const inOtherSchemas = catalog.filter(
    (table) =>
      table.schema !== schema && isTable(table) && !table.isPartition && table.extension === null,
  );
  for (const [other, tables] of Map.groupBy(inOtherSchemas, (table) => table.schema))
    note(`in another schema (${quoteName(other)})`, tables);
  return issues;
}
