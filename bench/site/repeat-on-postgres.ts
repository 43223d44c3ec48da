// Repeats a page's SQLite queries on a PostgreSQL, with the same values.

import postgres from "postgres";
import type { Sql, SqlValue } from "#lib/db/sql.ts";
import { singleton } from "#lib/core/singleton.ts";

export interface Query {
  readonly text: string;
  readonly values: readonly SqlValue[];
  /** The number of rows that SQLite returned. PostgreSQL must return the same number. */
  readonly rowCount: number;
  readonly isSingleRow: boolean;
}

/** Returns a wrapper of `sql` that also appends its reads to `queries`. */
export function recordQueries(sql: Sql, queries: Query[]): Sql {
  return {
    get<Row>(text: string, ...values: SqlValue[]) {
      const row = sql.get<Row>(text, ...values);
      queries.push({ text, values, rowCount: row === undefined ? 0 : 1, isSingleRow: true });
      return row;
    },
    all<Row>(text: string, ...values: SqlValue[]) {
      const rows = sql.all<Row>(text, ...values);
      queries.push({ text, values, rowCount: rows.length, isSingleRow: false });
      return rows;
    },
    run: sql.run,
  };
}

/** Returns the statement in PostgreSQL's dialect. */
function translate(text: string, values: readonly SqlValue[]): string {
  let index = 0;
  return (
    text
      // In SQLite, CROSS JOIN with a condition fixes the join order.
      .replaceAll("CROSS JOIN", "JOIN")
      // Before version 16, a subquery in FROM needs a name.
      .replace(/FROM \(SELECT \? AS [^()]+\)$/, (subquery) => `${subquery} AS "subquery"`)
      // In SQLite, MIN of two values is not an aggregate.
      .replace(/\bMIN\((?=[^()]+,)/g, "LEAST(")
      .replace(/\?/g, () => {
        const isInteger = ["number", "bigint"].includes(typeof values[index]);
        return `$${++index}::${isInteger ? "bigint" : "text"}`;
      })
  );
}

// One connection per process: dialing again would cost further round trips.
const connect = (url: string) =>
  singleton("bench-postgres", () =>
    postgres(url, { max: 1, fetch_types: false, onnotice: () => {} }),
  );

async function repeatQuery(client: postgres.Sql, query: Query): Promise<void> {
  const rows = await client.unsafe(
    translate(query.text, query.values),
    query.values as postgres.ParameterOrJSON<never>[],
    { prepare: true },
  );
  const rowCount = query.isSingleRow ? Math.min(1, rows.length) : rows.length;
  if (rowCount !== query.rowCount)
    throw new Error(
      `PostgreSQL has ${rowCount} rows where SQLite has ${query.rowCount}: ${query.text.trim().slice(0, 200)}`,
    );
}

/**
 * Repeats `queries` on the server at `url`, one after the other or batched into one round trip.
 * Throws if a result's row count differs from SQLite's.
 */
export async function repeatOnPostgres(
  url: string,
  queries: readonly Query[],
  mode: "sequential" | "batched",
): Promise<void> {
  const client = connect(url);
  if (mode === "batched") await Promise.all(queries.map((query) => repeatQuery(client, query)));
  else for (const query of queries) await repeatQuery(client, query);
}
