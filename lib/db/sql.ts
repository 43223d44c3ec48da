// Plain SQL for what Prisma can't say, or what costs too much through it. Only *.sql.ts files import it: each names the
// reason and the measured figure above its statements.

export type { Sql, SqlValue } from "./connection.ts";
export { sqlOf } from "./prisma-client.ts";
export { readSql, writeSql } from "./database.ts";
