import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { queryPostPageDataInSql } from "#bench/site/post-page-data.sql.ts";
import { type Query, recordQueries, repeatOnPostgres } from "#bench/site/repeat-on-postgres.ts";
import { createBenchDatabase } from "#bench/support/bench-database.ts";
import { BENCH_SESSION_SECRET } from "#bench/support/bench-site.ts";
import { createSql } from "#lib/db/connection.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";
import { startRemotePostgres } from "./remote-postgres-server.ts";

describe.skipIf(!findPostgres())("the distant PostgreSQL", () => {
  test("answers the statements of a member's page with as many rows as SQLite", async () => {
    const dir = mkdtempSync(join(tmpdir(), "lectern-remote-postgres-"));
    const file = join(dir, "lectern.db");
    const member = await createBenchDatabase(file, { users: 20, reads: 500, slugs: ["medium"] });
    const db = new Database(file);
    await insertMemberSession(db, member, BENCH_SESSION_SECRET);
    const { sessionKey } = db.prepare(`SELECT "id" AS "sessionKey" FROM "Session"`).get() as {
      sessionKey: string;
    };
    const queries: Query[] = [];
    const data = queryPostPageDataInSql(
      recordQueries(createSql(db), queries),
      { sessionKey, clientId: null },
      "medium",
    );
    db.close();
    const server = await startRemotePostgres({ file, roundTripMs: 0 });
    try {
      await repeatOnPostgres(server.url, queries, "sequential");
      await repeatOnPostgres(server.url, queries, "batched");
    } finally {
      await server.stop();
      rmSync(dir, { recursive: true });
    }
    expect(data.viewer.member?.id).toBe(member);
    expect(queries.length).toBeGreaterThan(4);
  });
});
