// Reads and writes the database of a unit test in plain SQL, where the stored row itself is the point.

import { type SqlValue, readSql, writeSql } from "#lib/db/sql.ts";

export const selectRow = <Row>(text: string, ...values: SqlValue[]): Promise<Row | undefined> =>
  readSql((sql) => sql.get<Row>(text, ...values));

export const selectRows = <Row>(text: string, ...values: SqlValue[]): Promise<Row[]> =>
  readSql((sql) => sql.all<Row>(text, ...values));

/** Returns how many rows changed. */
export const execute = (text: string, ...values: SqlValue[]): Promise<number> =>
  writeSql((sql) => sql.run(text, ...values).changes);
