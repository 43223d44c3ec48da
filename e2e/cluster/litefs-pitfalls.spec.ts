// Tests known pitfalls of LiteFS that no other spec covers.

import { spawnSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import type { Cluster } from "#cli/cluster/cluster.ts";
import Database from "better-sqlite3";
import { expect, imageDir, test } from "#tests/support/cluster/fixtures.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { FlyCommand } from "#tests/support/cluster/fly-command.ts";
import { readRunbook } from "#tests/support/runbook.ts";
import { expireLease, findLeaseSession } from "#tests/support/cluster/lease.ts";
import { readLogEvents } from "#tests/support/cluster/litefs-store.ts";
import { queryNode } from "#tests/support/cluster/node-database.ts";
import { countTxidWaits } from "#tests/support/cluster/node-metrics.ts";
import {
  requestLoginEmail,
  isWriteRefused,
  openLoginForm,
  nextAddress,
  sendRequest,
} from "#tests/support/cluster/browser-visitor.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { LEASE_VACANT_MS } from "#server/supervisor/candidacy.ts";

test("a candidate without data never becomes primary, and writes are refused meanwhile", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const fresh = await cluster.waitForStandby();
  const primary = await cluster.waitForPrimary();
  const before = await cluster.waitUntilInSync();
  const sendForm = await openLoginForm(cluster.getEdgeUrl("ams"), "keep.me@example.com");
  await fresh.stop();
  // The worst state that LiteFS can leave: the cluster's id without data.
  const id = readFileSync(join(primary.dataDir, "litefs", "clusterid"));
  fresh.deleteData();
  mkdirSync(join(fresh.dataDir, "litefs"));
  writeFileSync(join(fresh.dataDir, "litefs", "clusterid"), id);
  cluster.network.cutLink(fresh.name, primary.name);
  fresh.start();
  await waitUntil("it joins", 30_000, () => fresh.readLitefsInfo());
  await primary.kill();
  // At first, a replica may replay to the dead primary. The edge must respond in bounded time.
  const atOnce = await sendForm();
  await waitUntil(
    "ams knows no primary",
    20_000,
    async () => (await cluster.getNode("ams-1").readLitefsInfo())?.primary ?? null,
    (known) => known !== null && !known.hostname,
  );
  const refused = await sendForm();
  console.log(
    `write at the moment of the kill: ${atOnce.status} after ${Math.round(atOnce.ms)} ms; without a primary: ${refused.status} after ${Math.round(refused.ms)} ms`,
  );
  expect({ made: atOnce.status === 303, late: atOnce.ms > 20_000 }).toEqual({
    made: false,
    late: false,
  });
  expect({
    paused: isWriteRefused(refused, "keep.me@example.com"),
    late: refused.ms > 5_000,
  }).toEqual({
    paused: true,
    late: false,
  });
  expect(await fresh.readLitefsInfo()).toMatchObject({ isPrimary: false, candidate: false });
  // No node takes the dead primary's lease when it expires.
  await expireLease(cluster);
  await waitUntil(
    "the lease is free",
    10_000,
    async () => (await findLeaseSession(cluster)) === null,
  );
  const freeMs = Date.now();
  const again = await requestLoginEmail(cluster.getEdgeUrl("ams"), "keep.me@example.com");
  expect(isWriteRefused(again, "keep.me@example.com")).toBe(true);
  expect(again.headers["fly-replay"]).toBeUndefined();
  // A node with data would become a candidate, so this one must wait longer.
  await waitUntil("it waits for data", 30_000, () =>
    readLogEvents(fresh, "launcher.waits").some(
      ({ time }) => Date.parse(String(time)) > freeMs + LEASE_VACANT_MS + 500,
    ),
  );
  expect(readLogEvents(fresh, "supervisor.start").at(-1)).toMatchObject({
    reason: "no data here, but the cluster has data",
  });
  expect(await fresh.readLitefsInfo()).toMatchObject({ isPrimary: false, candidate: false });
  expect(await findLeaseSession(cluster)).toBeNull();
  expect((await sendRequest(`${cluster.getEdgeUrl("ams")}/blog`)).status).toBe(200);
  cluster.network.healLinks();
  primary.start();
  await waitUntil("the one with data is the primary", 30_000, () => primary.isPrimary());
  await cluster.waitForStandby();
  expect((await cluster.waitUntilInSync()).txid).toBeGreaterThanOrEqual(before.txid);
});

/** Removes the newer schema, which later tests would find in their backups. */
async function undoMigration(cluster: Cluster): Promise<void> {
  const db = new Database((await cluster.waitForPrimary()).databaseFile, { timeout: 5_000 });
  try {
    db.exec(`BEGIN IMMEDIATE; DROP TABLE "newer";
      DELETE FROM "_prisma_migrations" WHERE "migration_name" = '29990101000000_newer'; COMMIT`);
  } finally {
    db.close();
  }
  await cluster.waitUntilInSync();
}

test("the first candidate of a new version takes the lease and migrates; its replicas wait, old ones serve on", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const newer = resolve(`${imageDir}-newer`);
  rmSync(newer, { recursive: true, force: true });
  if (spawnSync("cp", ["-al", resolve(imageDir), newer]).status !== 0)
    cpSync(imageDir, newer, { recursive: true, verbatimSymlinks: true });
  const migration = join(newer, "prisma", "migrations", "29990101000000_newer");
  mkdirSync(migration);
  writeFileSync(
    join(migration, "migration.sql"),
    `CREATE TABLE IF NOT EXISTS "newer" ("id" INTEGER PRIMARY KEY);\n`,
  );
  const fly = new FlyCommand(cluster, (url) => url);
  fly.builtImage = newer;
  const hasTable = (node: ClusterNode) =>
    spawnSync(
      process.execPath,
      [
        "-e",
        `const db = new (require("better-sqlite3"))(process.env.DATABASE_FILE, { readonly: true }); console.log(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'newer'").get().n)`,
      ],
      { cwd: imageDir, env: node.readEnvironment(), encoding: "utf8" },
    ).stdout.trim() === "1";
  try {
    const replica = cluster.getNode("ams-1");
    await replica.stop();
    replica.start({}, { cwd: newer });
    await waitUntil("the replica waits for the schema", 60_000, () =>
      readLogEvents(replica, "launcher.waits").some(({ reason }) =>
        String(reason).includes("29990101000000_newer"),
      ),
    );
    expect((await sendRequest(`${cluster.getEdgeUrl("ams")}/blog`)).status).toBe(200);

    const [old, standby] = [await cluster.waitForPrimary(), await cluster.waitForStandby()];
    await standby.stop();
    standby.start({}, { cwd: newer });
    await waitUntil("it is the primary", 60_000, () => standby.isPrimary());
    await standby.waitUntilReady();
    expect(readLogEvents(standby, "launcher.asks_for_lease")).not.toEqual([]);
    expect(readLogEvents(standby, "launcher.migrated").at(-1)).toMatchObject({
      applied: ["29990101000000_newer"],
    });
    await replica.waitUntilReady();
    expect(hasTable(replica)).toBe(true);
    // The former primary still runs the old code.
    await cluster.waitUntilInSync();
    expect((await sendRequest(`${old.url}/blog`)).status).toBe(200);
    expect(
      (await requestLoginEmail(cluster.getEdgeUrl("ams"), "between.versions@example.com")).status,
    ).toBe(303);

    // The old code runs on the newer schema.
    if (process.env.SOAK_RUNBOOKS) {
      await fly.run(readRunbook("deploy.md", "Later deploys"), { KEY: "unused" });
      for (const node of cluster.nodes.values()) expect(hasTable(node)).toBe(true);
      await fly.run(readRunbook("deploy.md", "Roll back"), { IMAGE: resolve(imageDir) });
      await cluster.waitForPrimary();
    } else {
      // The cluster's repair starts them with the old image.
      await Promise.all([replica.stop(), standby.stop()]);
      expect(await cluster.waitForPrimary()).toBe(old);
    }
    // The handover may pause writes for a moment.
    await waitUntil(
      "a write is made",
      20_000,
      async () =>
        (await requestLoginEmail(cluster.getEdgeUrl("ams"), "rolled.back@example.com")).status,
      (status) => status === 303,
    );
    await undoMigration(cluster);
  } finally {
    fly.close();
    rmSync(newer, { recursive: true, force: true });
  }
});

test("every node's database is in WAL mode with pages of 4,096 bytes, set in one place of the code", ({
  cluster,
}) => {
  for (const node of cluster.nodes.values()) {
    const head = Buffer.alloc(20);
    const fd = openSync(node.databaseFile, "r");
    readSync(fd, head, 0, head.length, 0);
    closeSync(fd);
    expect({
      node: node.name,
      page: head.readUInt16BE(16),
      write: head[18],
      read: head[19],
    }).toEqual({ node: node.name, page: 4_096, write: 2, read: 2 });
  }
  const found = [
    "app",
    "components",
    "lib",
    "server",
    "cli",
    "scripts",
    "prisma/migrations",
  ].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(tsx?|mjs|sql)$/.test(file) && !/\.test\.tsx?$/.test(file))
      .map((file) => join(folder, file))
      // The cache and staging databases are outside the mount, and doctor only prints statements.
      .filter(
        (file) =>
          !file.startsWith(join("lib", "cache")) &&
          !file.startsWith(join("cli", "doctor")) &&
          !file.startsWith(join("cli", "migrate-postgres")) &&
          /pragma[^;]*\b(journal_mode|page_size|locking_mode|auto_vacuum)\s*[=(]|\bVACUUM\b/i.test(
            readFileSync(file, "utf8"),
          ),
      ),
  );
  expect(found).toEqual([join("lib", "db", "connection.ts")]);
});

test("a write on a replica fails, names its statement, and changes nothing", async ({
  cluster,
}) => {
  const replica = cluster.getNode("ams-1");
  const before = await cluster.waitUntilInSync();
  const script = `
    import { openConnection } from "#lib/db/connection.ts";
    const { sql, close } = await openConnection(process.env.DATABASE_FILE, "writer", 1_000);
    try {
      sql.run('CREATE TABLE "mistake" ("id" INTEGER)');
    } catch (error) {
      console.log(JSON.stringify({ name: error.constructor.name, code: error.code, retry: error.retryAfterSeconds, statement: error.statement, cause: error.cause.code }));
    } finally {
      close();
    }`;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: imageDir,
    env: { ...replica.readEnvironment(), LOG_LEVEL: "error" },
    encoding: "utf8",
    timeout: 30_000,
  });
  const lines = ran.stdout.trim().split("\n").filter(Boolean);
  expect(JSON.parse(lines.at(-1) ?? ran.stderr)).toEqual({
    name: "WriteRefusedError",
    code: "unavailable",
    retry: 5,
    statement: 'CREATE TABLE "mistake" ("id" INTEGER)',
    cause: expect.stringMatching(/^SQLITE_(IOERR|READONLY)/),
  });
  const there = await cluster.waitUntilInSync();
  expect(there.txid).toBeGreaterThanOrEqual(before.txid);
  expect(await replica.isPrimary()).toBe(false);
});

test("a write sent to a replica without the proxy fails and writes nothing", async ({
  cluster,
}) => {
  const replica = cluster.getNode("ams-1");
  const primary = await cluster.waitForPrimary();
  const answer = await requestLoginEmail(replica.url, "no.proxy@example.com");
  expect({
    status: answer.status,
    replay: answer.headers["fly-replay"],
    text: answer.text,
  }).toEqual({
    status: 409,
    replay: `instance=${primary.name}`,
    text: "Fly Replay",
  });
  // Not by the transaction number, because a primary retries deliveries of an earlier test.
  await cluster.waitUntilInSync();
  for (const node of cluster.nodes.values())
    expect(
      queryNode(node, `SELECT 1 FROM "LoginChallenge" WHERE "email" = 'no.proxy@example.com'`),
      node.name,
    ).toEqual([]);
  expect(readFileSync(join(imageDir, "litefs.yml"), "utf8")).not.toMatch(/^proxy:/m);
});

test("the txid cookie is signed, short-lived and set only by writes; a forged one costs nothing", async ({
  cluster,
}) => {
  const made = await requestLoginEmail(cluster.getEdgeUrl("ams"), "numbered@example.com");
  const cookie = [made.headers["set-cookie"]].flat().find((line) => line?.startsWith("txid="));
  expect(cookie).toMatch(
    /^txid=[0-9a-z]+\.[0-9a-z]+\.[\w-]{43}; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  const value = cookie!.slice(5, cookie!.indexOf(";"));

  // Without a write, no cookie is set.
  const refused = await requestLoginEmail(cluster.getEdgeUrl("ams"), "not an address");
  const options = await sendRequest(`${cluster.getEdgeUrl("ams")}/login`, { method: "OPTIONS" });
  for (const answer of [refused, options, await sendRequest(`${cluster.getEdgeUrl("ams")}/login`)])
    expect(String(answer.headers["set-cookie"] ?? "")).not.toContain("txid=");
  expect(
    cluster.edges
      .get("ams")!
      .listEvents()
      .filter(({ method }) => method === "OPTIONS"),
  ).toEqual([]);

  const forged = `zzzzzz.${value.split(".").slice(1).join(".")}`;
  const waits = await countTxidWaits(cluster);
  for (const cookies of [`txid=${forged}`, `txid=${"f".repeat(4_000)}`, "__txid=ffffffff; txid="]) {
    const answer = await sendRequest(`${cluster.getNode("ams-1").url}/blog`, {
      headers: { cookie: cookies },
    });
    expect(answer.status, cookies).toBe(200);
    expect(await countTxidWaits(cluster), cookies).toBe(waits);
  }
});

test("security: one public port, and internal routes are 404 for others", async ({ cluster }) => {
  const lines = readFileSync("fly.toml", "utf8")
    .split("\n")
    .filter((line) => !line.trim().startsWith("#"));
  expect(lines.filter((line) => line.includes("20202"))).toEqual([]);
  expect(lines.filter((line) => /^\s*\[+services/.test(line))).toEqual([]);
  expect(
    new Set(lines.flatMap((line) => /^\s*(?:internal_)?port = (\d+)/.exec(line)?.[1] ?? [])),
  ).toEqual(new Set(["8080"]));

  const forged = {
    "x-lectern-internal": `${Math.floor(Date.now() / 60_000)}.${"A".repeat(43)}`,
    "fly-client-ip": "127.0.0.1",
    "x-forwarded-for": "127.0.0.1",
  };
  for (const region of ["dfw", "ams"]) {
    for (const [method, path] of [
      ["GET", "/internal/status"],
      ["POST", "/internal/cache"],
      ["GET", "/metrics"],
      ["GET", "/export?name=lectern.db"],
      ["GET", "/debug/vars"],
    ] as const) {
      for (const headers of [{}, forged])
        expect({
          region,
          path,
          status: (
            await sendRequest(`${cluster.getEdgeUrl(region)}${path}`, {
              method,
              headers: { ...headers, ...(method === "POST" && { "content-length": "0" }) },
            })
          ).status,
        }).toEqual({ region, path, status: 404 });
    }
  }
});

test("security: forged proxy headers change neither identity nor routing", async ({ cluster }) => {
  // One client can send 30 emails an hour, whatever its headers claim.
  const from = nextAddress();
  const answers: number[] = [];
  const url = cluster.getEdgeUrl("dfw");
  for (let i = 0; i < 31; i += 1) {
    const sendForm = await openLoginForm(url, `client-${i}@example.com`, from, {
      "fly-client-ip": `203.0.113.${i}`,
      "x-forwarded-for": `203.0.113.${i}`,
      "fly-region": "ams",
      "fly-replay-src": "instance=ams-1;state=9",
    });
    answers.push((await sendForm()).status);
  }
  expect(answers.slice(0, 30).filter((status) => status !== 303)).toEqual([]);
  expect(answers.at(-1)).not.toBe(303);

  // Without a proxy, nothing drops the header. A client that claims a replay only gets its own
  // request refused.
  const sendForm = await openLoginForm(
    cluster.getNode("ams-1").url,
    "replayed@example.com",
    undefined,
    {
      "fly-replay-src": "instance=x;region=y;t=1;state=9",
    },
  );
  const refused = await sendForm();
  expect({
    paused: isWriteRefused(refused, "replayed@example.com"),
    replay: refused.headers["fly-replay"],
  }).toEqual({ paused: true, replay: undefined });
  for (const [strange, status] of [
    ["state=", 200],
    ["instance=%0d%0aset-cookie: a=b", 200],
    [";;;;state=-1;", 200],
    ["x".repeat(8_000), 431],
  ] as const) {
    expect(
      (
        await sendRequest(`${cluster.getNode("ams-1").url}/blog`, {
          headers: {
            "fly-replay-src": strange,
            "fly-region": "<script>",
            "fly-request-id": "'; DROP",
          },
        })
      ).status,
    ).toBe(status);
  }
});
