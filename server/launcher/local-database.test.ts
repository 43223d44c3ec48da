import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { applyMigrations } from "#lib/db/migrations.ts";
import { connectConsul } from "#server/consul.ts";
import { readSettings } from "#server/settings.ts";
import { findFreePort } from "#tests/support/free-port.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { openLocalDatabase } from "./local-database.ts";

let folder: string;
let isPrimary: boolean;
let dbs: Record<string, { txid: string; checksum: string }>;
let litefs: TestServer;

/** A fake LiteFS of a node with data. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "local-database-"));
  isPrimary = false;
  mkdirSync(join(folder, "mount"));
  dbs = { "lectern.db": { txid: "0000000000000005", checksum: "8000000000000001" } };
  litefs = await serveHttp((_request, response) =>
    response.end(JSON.stringify({ store: { isPrimary, candidate: false, dbs } })),
  );
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(async () => {
  await litefs.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns the node's database after its migrations were applied. */
async function openDatabase(consulUrl: string) {
  const env = {
    ...process.env,
    REPLICATION: "on",
    INSTANCE: "dfw-1",
    DATA_DIR: folder,
    FLY_LITEFS_DIR: join(folder, "mount"),
    DATABASE_FILE: join(folder, "mount", "lectern.db"),
    FLY_CONSUL_URL: consulUrl,
    LITEFS_URL: litefs.origin,
    LITEFS_ADVERTISE_URL: litefs.origin,
    LITEFS_CATCHING_UP: "true",
  };
  const settings = readSettings(env, resolve("."));
  await applyMigrations(settings.databaseFile, join("prisma", "migrations"));
  const consul = connectConsul(settings.lease.consulUrl, settings.lease.key);
  return openLocalDatabase(settings, env, consul, () => undefined);
}

/** A fake Consul that stores keys below lectern/. The lease is the key `primary`. */
async function serveConsul(values: Record<string, unknown>) {
  const writes: { key: string; value: unknown }[] = [];
  const { origin, close } = await serveHttp((request, response) => {
    const key = new URL(request.url!, "http://consul").pathname.replace("/v1/kv/lectern/", "");
    let body = "";
    request.on("data", (data: Buffer) => (body += String(data)));
    request.on("end", () => {
      if (request.method === "PUT") {
        writes.push({ key, value: (values[key] = JSON.parse(body)) });
        return response.end("true");
      }
      if (values[key] === undefined) return response.writeHead(404).end();
      const value = typeof values[key] === "string" ? values[key] : JSON.stringify(values[key]);
      const entry = { Value: Buffer.from(value).toString("base64"), Session: "s", ModifyIndex: 1 };
      response.end(JSON.stringify([entry]));
    });
  });
  return { origin, close, writes };
}

const CLUSTER = {
  "primary/clusterid": "LFSC0000000000000000",
  "primary/founder": { instance: "dfw-1", atMs: 0, isDone: true },
};

test("a primary marks the cluster as having data if its last launcher could not", async () => {
  isPrimary = true;
  const consul = await serveConsul({
    ...CLUSTER,
    "primary/founder": { instance: "dfw-1", atMs: 0, isDone: false },
  });
  const database = await openDatabase(consul.origin);
  expect(await database.prepareDatabase(new AbortController().signal)).toBe("ready");
  expect(consul.writes).toMatchObject([
    { key: "primary/founder", value: { instance: "dfw-1", isDone: true } },
  ]);
  await consul.close();
});

test("a plain file is renamed after its import, even if Consul fails then", async () => {
  isPrimary = true;
  dbs = {};
  const consul = await serveHttp((request, response) =>
    response.writeHead(request.method === "PUT" ? 500 : 404).end(),
  );
  const plain = join(folder, "lectern.db");
  await applyMigrations(plain, join("prisma", "migrations"));
  const database = await openDatabase(consul.origin);
  await expect(database.prepareDatabase(new AbortController().signal)).rejects.toThrow("500");
  expect(readdirSync(folder)).toContain("lectern.db.imported");
  expect(existsSync(plain)).toBe(false);
  await consul.close();
});

test("a promoted node sends heartbeats while its migrations wait for a lock", async () => {
  const lease = { hostname: "dfw-1", "advertise-url": litefs.origin };
  const consul = await serveConsul({ ...CLUSTER, primary: lease });
  const database = await openDatabase(consul.origin);
  const writer = new Database(join(folder, "mount", "lectern.db"));
  writer.exec(`DELETE FROM "_prisma_migrations"; BEGIN IMMEDIATE`);
  isPrimary = true;
  await vi.waitFor(async () => {
    expect(await database.checkRole()).toBe("ok");
    expect(consul.writes.filter(({ key }) => key === "primary/beat").length).toBeGreaterThan(2);
  }, 20_000);
  expect(String(vi.mocked(process.stdout.write).mock.calls)).not.toContain("migrations_failed");
  writer.exec("COMMIT");
  writer.close();
  // The migrations fail because the tables already exist.
  await vi.waitFor(
    () => expect(String(vi.mocked(process.stdout.write).mock.calls)).toContain("migrations_failed"),
    20_000,
  );
  await consul.close();
});

test("a node with data that can't reach Consul serves after three seconds", async () => {
  const database = await openDatabase(`http://127.0.0.1:${await findFreePort()}`);
  const fromMs = performance.now();
  expect(await database.prepareDatabase(new AbortController().signal)).toBe("ready");
  expect(performance.now() - fromMs).toBeGreaterThan(3_000);
  // The migrations are read in another process.
  expect(performance.now() - fromMs).toBeLessThan(15_000);
});
