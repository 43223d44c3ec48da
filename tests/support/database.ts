// Reads and writes the database of a unit test in plain SQL, for tests of the stored rows
// themselves.

import { vi } from "vitest";
import { type SqlValue, readSql, writeSql } from "#lib/db/sql.ts";
import { overrideEnv } from "./override-env.ts";

export const selectRow = <Row>(text: string, ...values: SqlValue[]): Promise<Row | undefined> =>
  readSql((sql) => sql.get<Row>(text, ...values));

export const selectRows = <Row>(text: string, ...values: SqlValue[]): Promise<Row[]> =>
  readSql((sql) => sql.all<Row>(text, ...values));

/** Executes a statement and returns how many rows changed. */
export const execute = (text: string, ...values: SqlValue[]): Promise<number> =>
  writeSql((sql) => sql.run(text, ...values).changes);

/** Returns the statements that `fn` executes, from Prisma or in plain SQL, without their values. */
export async function recordStatements(fn: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  overrideEnv({ SLOW_QUERY_MS: "-1", LOG_LEVEL: "warn" });
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    const line = JSON.parse(String(text)) as { event: string; statement: string };
    if (line.event === "db.slow_query") statements.push(line.statement);
    return true;
  });
  try {
    await fn();
  } finally {
    spy.mockRestore();
    overrideEnv({ SLOW_QUERY_MS: undefined, LOG_LEVEL: "error" });
  }
  return statements;
}

/** Returns SQLite's query plan for a statement, one line per step. Parameters are NULL. */
export async function explain(statement: string): Promise<string[]> {
  const steps = await selectRows<{ detail: string }>(
    `EXPLAIN QUERY PLAN ${statement.replaceAll("?", "NULL")}`,
  );
  return steps.map(({ detail }) => detail);
}
