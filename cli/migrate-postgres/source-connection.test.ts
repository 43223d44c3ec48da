import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectSource, readRows, toSourceError } from "./source-connection.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";

describe.skipIf(!findPostgres())("a source connection", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => server?.close());

  test("values are strings in UTC, whatever the role's settings", async () => {
    const url = await server.createDatabase();
    const setUp = await connectSource(url);
    await setUp.query("ALTER ROLE owner SET timezone = 'Asia/Kathmandu'");
    await setUp.query("ALTER ROLE owner SET datestyle = 'German'");
    await setUp.end();
    const client = await connectSource(url);
    expect(
      await readRows(
        client,
        "SELECT timestamptz '2022-11-21 10:20:30.123+02' AS at, 7::int8 AS n, true AS yes, NULL::text AS none",
      ),
    ).toEqual([{ at: "2022-11-21 08:20:30.123+00", n: "7", yes: "t", none: null }]);
    await client.end();
  });

  test("no timeout of the role ends a long session", async () => {
    const url = await server.createDatabase();
    const setUp = await connectSource(url);
    // PostgreSQL 17 added transaction_timeout.
    const readTimeouts = `SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')`;
    const timeouts = await readRows<{ name: string }>(setUp, readTimeouts);
    expect(timeouts.length).toBeGreaterThanOrEqual(3);
    for (const { name } of timeouts) await setUp.query(`ALTER ROLE owner SET ${name} = '5min'`);
    const client = await connectSource(url);
    try {
      expect(await readRows(client, readTimeouts)).toEqual(
        timeouts.map(({ name }) => ({ name, setting: "0" })),
      );
    } finally {
      for (const { name } of timeouts) await setUp.query(`ALTER ROLE owner RESET ${name}`);
      await setUp.end();
      await client.end();
    }
  });

  test("a read-only connection rejects every write", async () => {
    const client = await connectSource(await server.createDatabase(), { readOnly: true });
    await expect(readRows(client, "CREATE TABLE t (x int)")).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("25006"),
    });
    await client.end();
  });

  test("errors contain neither the connection string nor a row's contents", async () => {
    await expect(connectSource("mysql://someone:secret@example.com/db")).rejects.toMatchObject({
      code: "invalid",
      message: expect.not.stringContaining("secret"),
    });
    await expect(connectSource("postgres://someone:secret@127.0.0.1:1/db")).rejects.toMatchObject({
      code: "unavailable",
      message: expect.not.stringMatching(/secret|someone|127/),
    });
    await expect(connectSource(server.url("no_such_database"))).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("no database with that name"),
    });
    const client = await connectSource(await server.createDatabase());
    await expect(readRows(client, "SELECT 'a secret'::int")).rejects.toMatchObject({
      code: "conflict",
      message: expect.not.stringContaining("secret"),
    });
    await client.end();
    // Has five letters, but is not an SQLSTATE.
    expect(toSourceError(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))).toMatchObject(
      {
        code: "unavailable",
        message: expect.stringContaining("cannot be reached"),
      },
    );
  });
});
