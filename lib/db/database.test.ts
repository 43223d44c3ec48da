import { randomUUID } from "node:crypto";
import { AsyncLocalStorage } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import Database from "better-sqlite3";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { env } from "#lib/core/env.ts";
import { PrismaClient } from "../../prisma/generated/client.ts";
import { insertUser } from "#tests/support/factories.ts";
import { recordStatements } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type Tx, closeDatabase, read, write } from "./database.ts";
import { readSql, sqlOf, writeSql } from "./sql.ts";

const userData = (email: string) => ({ email, firstName: "Ada", team: "RED" });
const emails = () =>
  read(async (tx) =>
    (await tx.user.findMany({ orderBy: { email: "asc" } })).map(({ email }) => email),
  );

/** Returns a promise with its resolver, so that tests wait for events instead of sleeping. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** Creates a plain Prisma client with one connection. The tests below show its bugs. */
function naiveClient() {
  return new PrismaClient({
    adapter: new PrismaBetterSqlite3(
      { url: `file:${env.DATABASE_FILE}` },
      { timestampFormat: "unixepoch-ms" },
    ),
  });
}

test("a rollback does not undo an unrelated write", async () => {
  const inside = gate();
  const unrelated = gate();
  const failing = write(async (tx) => {
    await tx.user.create({ data: userData("failing@example.test") });
    inside.open();
    await unrelated.opened;
    throw new Error("roll back");
  });
  await inside.opened;
  const other = write((tx) => tx.user.create({ data: userData("other@example.test") }));
  unrelated.open();
  await expect(failing).rejects.toThrow("roll back");
  await other;
  expect(await emails()).toEqual(["other@example.test"]);
});

test("on a naive client, a rollback undoes an unrelated, acknowledged write", async () => {
  const naive = naiveClient();
  const inside = gate();
  const unrelated = gate();
  const failing = naive.$transaction(async (tx) => {
    await tx.user.create({ data: userData("failing@example.test") });
    inside.open();
    await unrelated.opened;
    throw new Error("roll back");
  });
  await inside.opened;
  const acknowledged = await naive.user.create({ data: userData("other@example.test") });
  expect(acknowledged.email).toBe("other@example.test");
  unrelated.open();
  await expect(failing).rejects.toThrow("roll back");
  expect(await naive.user.count()).toBe(0);
  await naive.$disconnect();
});

test("a read never sees an uncommitted write", async () => {
  const inside = gate();
  const seen = gate();
  const writing = write(async (tx) => {
    await tx.user.create({ data: userData("early@example.test") });
    inside.open();
    await seen.opened;
  });
  await inside.opened;
  expect(await emails()).toEqual([]);
  expect(await readSql((sql) => sql.all(`SELECT * FROM "User"`))).toEqual([]);
  seen.open();
  await writing;
  expect(await emails()).toEqual(["early@example.test"]);
});

test("on a naive client, a read sees an uncommitted write", async () => {
  const naive = naiveClient();
  const inside = gate();
  const seen = gate();
  const writing = naive.$transaction(async (tx) => {
    await tx.user.create({ data: userData("early@example.test") });
    inside.open();
    await seen.opened;
    throw new Error("never happened");
  });
  await inside.opened;
  expect(await naive.user.count()).toBe(1);
  seen.open();
  await expect(writing).rejects.toThrow("never happened");
  await naive.$disconnect();
});

test("text columns with a fixed set of values are unions, also in relations; other values throw", async () => {
  const { id, team } = await write((tx) => tx.user.create({ data: userData("a@example.test") }));
  expect(team satisfies "RED" | "BLUE" | "YELLOW").toBe("RED");
  await write((tx) =>
    tx.session.create({ data: { id: "s", userId: id, expirationDate: new Date() } }),
  );
  const outside = new Database(env.DATABASE_FILE);
  outside.pragma("ignore_check_constraints = ON");
  outside.exec(`UPDATE "User" SET "team" = 'GREEN'`);
  outside.close();
  await expect(
    read(async (tx) => {
      const session = await tx.session.findUnique({
        where: { id: "s" },
        select: { user: { select: { team: true } } },
      });
      return session?.user.team;
    }),
  ).rejects.toThrow('User.team is "GREEN", not one of RED, BLUE, YELLOW.');
});

test("a slow query is logged with its statement, without its values", async () => {
  const statements = await recordStatements(() =>
    read((tx) => tx.user.findFirst({ where: { email: "secret@example.test" } })),
  );
  expect(statements).toEqual([expect.stringMatching(/^SELECT .*`User`/)]);
  expect(statements.join("")).not.toContain("secret@");
});

test("concurrent writes each run in the context of their own request", async () => {
  const context = new AsyncLocalStorage<string>();
  const names = ["a", "b", "c"];
  const seen = (write: (fn: () => unknown) => Promise<unknown>) =>
    Promise.all(names.map((name) => context.run(name, () => write(() => context.getStore()))));
  expect(await seen(write)).toEqual(names);
  expect(await seen(writeSql)).toEqual(names);
});

test("a query's values do not stay in memory", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const usedBytes = async () => {
    for (let i = 0; i < 3; i++) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const { id: userId } = await write((tx) => insertUser(tx));
  const query = () =>
    write(async (tx) => {
      const data = { userId, publicKey: new Uint8Array(1_000_000), counter: 0, transports: "" };
      await tx.passkey.create({ data: { ...data, id: randomUUID(), name: "A key" } });
    });
  await query();
  const before = await usedBytes();
  for (let i = 0; i < 40; i++) await query();
  expect((await usedBytes()) - before).toBeLessThan(20_000_000);
});

test("undefined in a filter throws instead of matching every row", async () => {
  await writeSql((sql) => insertUser(sql));
  const id = undefined as unknown as string;
  await expect(write((tx) => tx.user.deleteMany({ where: { id } }))).rejects.toThrow(/undefined/);
  await expect(writeSql((sql) => sql.run(`DELETE FROM "User" WHERE "id" = ?`, id))).rejects.toThrow(
    /Value 1 is undefined/,
  );
  expect(await emails()).toHaveLength(1);
});

test("all queries of a read see the same state, through Prisma and SQL", async () => {
  const counts = await read(async (tx) => {
    const before = await tx.user.count();
    await new Promise<void>((resolve, reject) =>
      setImmediate(() => void outsideWrite().then(resolve, reject)),
    );
    return [
      before,
      await tx.user.count(),
      sqlOf(tx).get<{ n: number }>(`SELECT count(*) AS n FROM "User"`)?.n,
    ];
  });
  expect(counts).toEqual([0, 0, 0]);
  expect(await emails()).toHaveLength(1);
});

/** Writes from another process. */
async function outsideWrite() {
  const other = new Database(env.DATABASE_FILE);
  other.pragma("foreign_keys = ON");
  other
    .prepare(
      `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "team") VALUES ('x', 1, 1, 'x@example.test', 'X', 'RED')`,
    )
    .run();
  other.close();
}

test("a read refuses to write", async () => {
  await expect(read((tx) => tx.user.create({ data: userData("a@example.test") }))).rejects.toThrow(
    /readonly/,
  );
  await expect(read((tx) => insertUser(tx))).rejects.toThrow(/readonly/);
  await expect(readSql((sql) => insertUser(sql))).rejects.toThrow(/readonly/);
});

test("writes that arrive together commit together", async () => {
  const other = new Database(env.DATABASE_FILE, { readonly: true });
  const version = () => other.pragma("data_version", { simple: true }) as number;
  await writeSql(() => {});
  const seen = new Set<number>();
  const before = version();
  await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      writeSql((sql) => insertUser(sql, { email: `${i}@example.test` })).then(() =>
        seen.add(version()),
      ),
    ),
  );
  other.close();
  expect(await emails()).toHaveLength(200);
  expect(seen.size).toBeLessThan(5);
  expect([...seen].every((v) => v !== before)).toBe(true);
});

test("a failing write in a batch rolls back only itself", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, i) =>
      writeSql((sql) => {
        insertUser(sql, { email: `${i}@example.test` });
        if (i % 3 === 0) throw new Error(`no ${i}`);
      }),
    ),
  );
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(3);
  expect(await emails()).toEqual([1, 2, 4, 5, 7, 8].map((i) => `${i}@example.test`));
});

test("a write is acknowledged only after its commit", async () => {
  const other = new Database(env.DATABASE_FILE, { readonly: true });
  for (let i = 0; i < 20; i++) {
    await writeSql((sql) => insertUser(sql));
    expect((other.prepare(`SELECT count(*) AS n FROM "User"`).get() as { n: number }).n).toBe(
      i + 1,
    );
  }
  other.close();
});

test("a batch whose commit fails rejects every write in it", async () => {
  const results = Promise.allSettled([
    writeSql((sql) => insertUser(sql)),
    writeSql((sql) => {
      // A deferred constraint fails at the commit, and so does the whole batch.
      sql.run("PRAGMA defer_foreign_keys = ON");
      sql.run(
        `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES ('s', 1, 'nobody', 1)`,
      );
    }),
  ]);
  for (const result of await results)
    expect(result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
  expect(await emails()).toEqual([]);
  await writeSql((sql) => insertUser(sql));
  expect(await emails()).toHaveLength(1);
});

test("a tx is revoked after its transaction", async () => {
  let revokedTx: Tx | undefined;
  await write((tx) => {
    revokedTx = tx;
  });
  expect(() => sqlOf(revokedTx!).get("SELECT 1")).toThrow(/ran after its transaction ended/);
  await expect(revokedTx?.user.count()).rejects.toThrow();
});

test("queries that a failed write still sends do not run in the next write", async () => {
  const slow = async (tx: Tx) => {
    for (let i = 0; i < 5; i++) await tx.user.count();
    await tx.siteTotal.update({ where: { id: 1 }, data: { reads: 99 } });
  };
  const failing = write(async (tx) => {
    await Promise.all([slow(tx), Promise.reject(new Error("no"))]);
  });
  // In the same batch and connection, and long enough for the failed write's queries to arrive.
  const next = write(async (tx) => {
    for (let i = 0; i < 20; i++) await tx.user.count();
  });
  await expect(failing).rejects.toThrow("no");
  await next;
  const { reads } = await read((tx) => tx.siteTotal.findUniqueOrThrow({ where: { id: 1 } }));
  expect(reads).not.toBe(99);
});

test("a query that a successful write didn't wait for does not run in the next write", async () => {
  let floating: Promise<unknown> | undefined;
  const careless = write(async (tx) => {
    await tx.user.count();
    floating = tx.siteTotal.update({ where: { id: 1 }, data: { reads: 98 } }).then(() => "ran");
    floating.catch(() => {});
  });
  const next = write(async (tx) => {
    for (let i = 0; i < 20; i++) await tx.user.count();
  });
  await careless;
  await next;
  await expect(floating).rejects.toThrow();
  const { reads } = await read((tx) => tx.siteTotal.findUniqueOrThrow({ where: { id: 1 } }));
  expect(reads).not.toBe(98);
});

test("a tx stays revoked while the next transaction uses the same connection", async () => {
  let revokedTx: Tx | undefined;
  await write((tx) => {
    revokedTx = tx;
  });
  await write(async (tx) => {
    await expect(revokedTx!.user.create({ data: userData("late@x.test") })).rejects.toThrow(
      "after its transaction ended",
    );
    expect(() => sqlOf(revokedTx!).get("SELECT 1")).toThrow("after its transaction ended");
    await tx.user.count();
  });
  expect(await emails()).not.toContain("late@x.test");
});

test("nested transactions throw", async () => {
  await expect(write(() => write(() => 1))).rejects.toThrow(/inside a write transaction/);
  await expect(write(() => read(() => 1))).rejects.toThrow(/inside a write transaction/);
  await expect(read(() => readSql(() => 1))).rejects.toThrow(/inside a read transaction/);
});

test("readSql and writeSql refuse an async function", async () => {
  await expect(writeSql(async () => 1)).rejects.toThrow(/synchronous/);
  await expect(readSql(async () => 1)).rejects.toThrow(/synchronous/);
});

test("reads beyond the number of connections wait", async () => {
  const sizes = await Promise.all(Array.from({ length: 40 }, () => read((tx) => tx.user.count())));
  expect(sizes).toEqual(Array.from({ length: 40 }, () => 0));
});

test("a write waits for another process's lock", async () => {
  await writeSql(() => {});
  const other = new Database(env.DATABASE_FILE);
  other.exec("BEGIN IMMEDIATE");
  const waiting = writeSql((sql) => insertUser(sql));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  other.exec("COMMIT");
  other.close();
  await waiting;
  expect(await emails()).toHaveLength(1);
});

test("an instance that is not the primary refuses to write", async () => {
  overrideEnv({ REPLICATION: "on" });
  await expect(writeSql((sql) => insertUser(sql))).rejects.toMatchObject({ code: "unavailable" });
  overrideEnv({ REPLICATION: undefined });
  expect(await emails()).toEqual([]);
});

test("the file has WAL mode, 4096-byte pages and foreign keys", async () => {
  await writeSql((sql) => {
    expect(sql.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
    expect(sql.get("PRAGMA page_size")).toEqual({ page_size: 4096 });
    expect(sql.get("PRAGMA foreign_keys")).toEqual({ foreign_keys: 1 });
  });
  await expect(
    writeSql((sql) =>
      sql.run(`INSERT INTO "Call" VALUES ('c', 1, 1, 't', 'd', 'k', 'nobody', '')`),
    ),
  ).rejects.toThrow(/FOREIGN KEY/);
});

test("a date is the same number in Prisma, SQL and sorting", async () => {
  const dates = [
    new Date("2022-11-21T23:59:59.999Z"),
    new Date(0),
    new Date("2026-03-29T01:30:00.001Z"),
  ];
  for (const [i, createdAt] of dates.entries()) {
    await write((tx) =>
      tx.postRead.create({ data: { createdAt, clientId: String(i), postSlug: "prisma" } }),
    );
    await writeSql((sql) =>
      sql.run(
        `INSERT INTO "PostRead" ("id", "createdAt", "clientId", "postSlug") VALUES (?, ?, ?, 'sql')`,
        `r${i}`,
        createdAt.getTime(),
        String(i),
      ),
    );
  }
  const sorted = dates.map(Number).sort((a, b) => a - b);
  const rows = await readSql((sql) =>
    sql.all<{ createdAt: number; kind: string }>(
      `SELECT "createdAt", typeof("createdAt") AS kind FROM "PostRead" ORDER BY "createdAt", "postSlug"`,
    ),
  );
  expect(rows).toEqual(
    sorted.flatMap((createdAt) => [
      { createdAt, kind: "integer" },
      { createdAt, kind: "integer" },
    ]),
  );
  await read(async (tx) => {
    const found = await tx.postRead.findMany({
      where: { createdAt: { gte: dates[0] } },
      orderBy: { createdAt: "asc" },
    });
    expect(found.map(({ createdAt }) => createdAt)).toEqual([
      dates[0],
      dates[0],
      dates[2],
      dates[2],
    ]);
  });
});

/**
 * Corrupts all pages except the first two until the connections are reopened, like an import while
 * connections are open. Returns a function for the number of reopens.
 */
function breakUntilOpenedAnew(): () => number {
  const outside = new Database(env.DATABASE_FILE);
  outside.pragma("wal_checkpoint(TRUNCATE)");
  outside.close();
  const good = readFileSync(env.DATABASE_FILE);
  const bad = Buffer.from(good);
  bad.fill(0xff, 2 * 4096);
  writeFileSync(env.DATABASE_FILE, bad);
  let times = 0;
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    if (String(text).includes("db.connections_reopened")) {
      times += 1;
      writeFileSync(env.DATABASE_FILE, good);
    }
    return true;
  });
  return () => times;
}

test("a read of a replaced file is retried on a new connection", async () => {
  await writeSql((sql) => insertUser(sql, { email: "a@example.test" }));
  for (const read of [
    emails,
    () =>
      readSql((sql) =>
        sql.all<{ email: string }>(`SELECT "email" FROM "User"`).map(({ email }) => email),
      ),
  ]) {
    await closeDatabase();
    const timesOpened = breakUntilOpenedAnew();
    expect(await read()).toEqual(["a@example.test"]);
    expect(timesOpened()).toBe(1);
  }
});

test("writes to a replaced file are retried on a new connection, each once", async () => {
  await closeDatabase();
  // Opens the writer, which reads the schema only.
  await writeSql((sql) => sql.run(`SELECT 1 FROM "User" WHERE 0`));
  const timesOpened = breakUntilOpenedAnew();
  const runs = { ok: 0, prisma: 0, sql: 0 };
  await Promise.all([
    writeSql(() => (runs.ok += 1)),
    write((tx) => {
      runs.prisma += 1;
      return tx.user.create({ data: userData("a@example.test") });
    }),
    writeSql((sql) => {
      runs.sql += 1;
      insertUser(sql, { email: "b@example.test" });
    }),
  ]);
  expect(timesOpened()).toBe(1);
  expect(await emails()).toEqual(["a@example.test", "b@example.test"]);
  // The first write did not fail itself, but its batch was rolled back.
  expect(runs).toEqual({ ok: 2, prisma: 2, sql: 1 });
});

test("a date stored as text is refused, in both of SQLite's formats", async () => {
  for (const text of ["2026-11-23T00:00:00.000+00:00", "2026-11-23 04:34:56"]) {
    await expect(
      writeSql((sql) =>
        sql.run(
          `INSERT INTO "PostRead" ("id", "createdAt", "postSlug") VALUES ('r', ?, 'p')`,
          text,
        ),
      ),
    ).rejects.toThrow(/CHECK/);
  }
  await expect(
    writeSql((sql) => sql.run(`INSERT INTO "PostRead" ("id", "postSlug") VALUES ('r', 'p')`)),
  ).rejects.toThrow(/CHECK/);
});

test("the database refuses an unknown role or team", async () => {
  await expect(writeSql((sql) => insertUser(sql, { role: "OWNER" }))).rejects.toThrow(/CHECK/);
  await expect(
    write((tx) => tx.user.create({ data: { ...userData("a@example.test"), team: "GREEN" } })),
  ).rejects.toThrow(/CHECK/);
});

test("reads and writes throw during the build", async () => {
  overrideEnv({ NEXT_PHASE: "phase-production-build" });
  await expect(readSql((sql) => sql.get("SELECT 1"))).rejects.toThrow(/during the build/);
  await expect(writeSql(() => {})).rejects.toThrow(/during the build/);
  overrideEnv({ NEXT_PHASE: undefined });
});
