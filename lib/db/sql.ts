// Exports plain SQL, for statements that Prisma can't express or runs too slowly. Only *.sql.ts
// files may import it. Each says why it needs it.

export type { Sql, SqlValue } from "./connection.ts";
export { sqlOf } from "./prisma-client.ts";
export { readSql, writeSql } from "./database.ts";
