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
let isPrimary: boolean;
let litefs: TestServer;

/** A fake LiteFS of a node with data. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "local-database-"));
  isPrimary = false;
  mkdirSync(join(folder, "mount"));
  const dbs = { "lectern.db": { txid: "0000000000000005", checksum: "8000000000000001" } };
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

test("a primary marks the cluster as having data if its last launcher could not", async () => {
  isPrimary = true;
  const marks: unknown[] = [];
  const consul = await serveHttp((request, response) => {
    let body = "";
    request.on("data", (data: Buffer) => (body += String(data)));
    request.on("end", () => {
      const claim = JSON.stringify({ instance: "dfw-1", atMs: 0, isDone: false });
      const value = { "/founder": claim, "/clusterid": "LFSC0000000000000000" };
      const key = /\/(?:founder|clusterid)/.exec(request.url!)?.[0] as
        keyof typeof value | undefined;
      if (request.method === "PUT" && key === "/founder") marks.push(JSON.parse(body));
      if (request.method === "PUT") response.end("true");
      else if (!key) response.writeHead(404).end();
      else response.end(JSON.stringify([{ Value: Buffer.from(value[key]).toString("base64") }]));
    });
  });
  const database = await openDatabase(consul.origin);
  expect(await database.prepareDatabase(new AbortController().signal)).toBe("ready");
  expect(marks).toMatchObject([{ instance: "dfw-1", isDone: true }]);
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
