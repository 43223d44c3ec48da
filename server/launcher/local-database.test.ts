import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { applyMigrations } from "#lib/db/migrations.ts";
import { connectConsul } from "#server/consul.ts";
import { readSettings } from "#server/settings.ts";
import { findFreePort } from "#tests/support/free-port.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { openLocalDatabase } from "./local-database.ts";

let folder: string;
let litefs: TestServer;

/** A fake LiteFS of a replica with data. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "local-database-"));
  mkdirSync(join(folder, "mount"));
  const dbs = { "lectern.db": { txid: "0000000000000005", checksum: "8000000000000001" } };
  litefs = await serveHttp((_request, response) =>
    response.end(JSON.stringify({ store: { isPrimary: false, candidate: false, dbs } })),
  );
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(async () => {
  await litefs.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a node with data that can't reach Consul serves after three seconds", async () => {
  const env = {
    ...process.env,
    REPLICATION: "on",
    INSTANCE: "dfw-1",
    DATA_DIR: folder,
    FLY_LITEFS_DIR: join(folder, "mount"),
    DATABASE_FILE: join(folder, "mount", "lectern.db"),
    FLY_CONSUL_URL: `http://127.0.0.1:${await findFreePort()}`,
    LITEFS_URL: litefs.origin,
    LITEFS_ADVERTISE_URL: litefs.origin,
    LITEFS_CATCHING_UP: "true",
  };
  const settings = readSettings(env, resolve("."));
  await applyMigrations(settings.databaseFile, join("prisma", "migrations"));
  const consul = connectConsul(settings.lease.consulUrl, settings.lease.key);
  const database = openLocalDatabase(settings, env, consul, () => undefined);
  const fromMs = performance.now();
  expect(await database.prepareDatabase(new AbortController().signal)).toBe("ready");
  expect(performance.now() - fromMs).toBeGreaterThan(3_000);
  // The migrations are read in another process.
  expect(performance.now() - fromMs).toBeLessThan(15_000);
});
