// What the site asks its SQLite, asked of a Postgres: the same statements with the same values. Part of bench builds only.

import postgres from "postgres";
import type { Sql, SqlValue } from "#lib/db/connection.ts";

export interface Asked {
  readonly text: string;
  readonly values: readonly SqlValue[];
  /** How many rows SQLite had for it: Postgres must have as many. */
  readonly rows: number;
  readonly isOne: boolean;
}

/** `sql` that notes each of its reads in `asked`. */
export function recording(sql: Sql, asked: Asked[]): Sql {
  return {
    get<Row>(text: string, ...values: SqlValue[]) {
      const row = sql.get<Row>(text, ...values);
      asked.push({ text, values, rows: row === undefined ? 0 : 1, isOne: true });
      return row;
    },
    all<Row>(text: string, ...values: SqlValue[]) {
      const rows = sql.all<Row>(text, ...values);
      asked.push({ text, values, rows: rows.length, isOne: false });
      return rows;
    },
    run: sql.run,
  };
}

/** The statement as Postgres wants it. */
function translate(text: string, values: readonly SqlValue[]): string {
  let at = 0;
  return (
    text
      // A CROSS JOIN with a condition is how SQLite is told the order of a join.
      .replaceAll("CROSS JOIN", "JOIN")
      // Before Postgres 16 a query in FROM needs a name.
      .replace(/FROM \(SELECT \? AS "from"\)$/, (found) => `${found} AS "given"`)
      .replace(
        /\?/g,
        () =>
          `$${at + 1}::${["number", "bigint"].includes(typeof values[at++]) ? "bigint" : "text"}`,
      )
  );
}

// One per process, and kept: dialling anew would cost further round trips.
const shared = globalThis as { __lecternFar?: postgres.Sql };

async function ask(far: postgres.Sql, { text, values, rows, isOne }: Asked): Promise<void> {
  const found = await far.unsafe(
    translate(text, values),
    values as postgres.ParameterOrJSON<never>[],
    { prepare: true },
  );
  const count = isOne ? Math.min(1, found.length) : found.length;
  if (count !== rows)
    throw new Error(
      `Postgres has ${count} rows where SQLite has ${rows}: ${text.trim().slice(0, 200)}`,
    );
}

/**
 * Asks the Postgres at `url` each of `asked`: one after the other as code does that needs an answer to go on ("each"), or all in
 * one round trip ("together"). Throws when an answer has another number of rows than SQLite's.
 */
export async function askFar(
  url: string,
  asked: readonly Asked[],
  how: "each" | "together",
): Promise<void> {
  const far = (shared.__lecternFar ??= postgres(url, {
    max: 1,
    fetch_types: false,
    onnotice: () => {},
  }));
  if (how === "together") await Promise.all(asked.map((one) => ask(far, one)));
  else for (const one of asked) await ask(far, one);
}
