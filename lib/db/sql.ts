// Plain SQL, for what Prisma can't express or is too slow at. Only *.sql.ts files may import it; each
// states the reason and a measurement.

export type { Sql, SqlValue } from "./connection.ts";
export { sqlOf } from "./prisma-client.ts";
export { readSql, writeSql } from "./database.ts";
