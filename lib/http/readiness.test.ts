import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { checkReadiness } from "./readiness.ts";
import { closeDatabase } from "#lib/db/database.ts";
import { litefsState, stopWatchingLitefs } from "#lib/replication/role.ts";
import { env } from "#lib/core/env.ts";
import { execute } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";

afterEach(() => {
  stopWatchingLitefs();
  overrideEnv({
    REPLICATION: undefined,
    FLY_LITEFS_DIR: undefined,
    FLY_REGION: undefined,
    SESSION_SECRET: undefined,
  });
});

/** Makes this process a cluster node, with a fake LiteFS. */
function inCluster({
  primary,
  silenceMs,
}: {
  primary: "this" | "other" | "none";
  silenceMs: number;
}): void {
  const dir = env.DATA_DIR;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "lectern.db-pos"), "00000000000004d2/8000000000000001\n");
  writeFileSync(join(dir, ".lag"), `${silenceMs}\n`);
  if (primary === "other") writeFileSync(join(dir, ".primary"), "dfw-1\n");
  overrideEnv({
    REPLICATION: "on",
    FLY_LITEFS_DIR: dir,
    FLY_REGION: "ams",
    SESSION_SECRET: "x".repeat(40),
  });
  litefsState().lastPrimaryEvent =
    primary === "none"
      ? { isPrimary: false, hostname: "" }
      : { isPrimary: primary === "this", hostname: primary === "this" ? "" : "dfw-1" };
}

test("a single node is ready", async () => {
  expect(await checkReadiness()).toMatchObject({
    ready: true,
    role: "primary",
    database: "readable",
    migrationsMissing: 0,
    standby: null,
    problems: [],
  });
});

test("a replica is ready, reports its position, and names no machine", async () => {
  inCluster({ primary: "other", silenceMs: 400 });
  const readiness = await checkReadiness();
  expect(readiness).toMatchObject({
    ready: true,
    role: "replica",
    region: "ams",
    txid: 1_234,
    standby: null,
  });
  expect(JSON.stringify(readiness)).not.toContain("dfw-1");
});

test("a replica is not ready more than a minute after the last heartbeat", async () => {
  inCluster({ primary: "other", silenceMs: 59_000 });
  expect(await checkReadiness()).toMatchObject({ ready: true, behindMs: 59_000 });
  inCluster({ primary: "other", silenceMs: 61_000 });
  expect(await checkReadiness()).toMatchObject({
    ready: false,
    problems: ["The primary has not sent a heartbeat for more than a minute."],
  });
});

test("an instance without a known primary is ready", async () => {
  inCluster({ primary: "none", silenceMs: 3_600_000 });
  expect(await checkReadiness()).toMatchObject({ ready: true, role: "unknown" });
});

test("a primary without a standby reports it and is ready", async () => {
  inCluster({ primary: "this", silenceMs: 0 });
  expect(await checkReadiness()).toMatchObject({
    ready: true,
    role: "primary",
    behindMs: 0,
    standby: "no standby is connected",
  });
});

test("an instance whose database can't be read is not ready", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  await closeDatabase();
  writeFileSync(env.DATABASE_FILE, "this is no database, ".repeat(500));
  for (const end of ["-wal", "-shm"]) writeFileSync(env.DATABASE_FILE + end, "");
  expect(await checkReadiness()).toMatchObject({
    ready: false,
    database: "unreadable",
    migrationsMissing: null,
    problems: ["The database can't be read."],
  });
});

test("an instance on a full disk is ready, because it serves reads, and reports it", async () => {
  vi.useFakeTimers({ toFake: ["performance"] }); // free space is looked up once per second
  vi.advanceTimersByTime(3_600_000);
  overrideEnv({ LITEFS_DATA_DIR: "/proc/litefs" }); // a file system without a free byte
  const readiness = await checkReadiness();
  overrideEnv({ LITEFS_DATA_DIR: undefined });
  vi.advanceTimersByTime(2_000);
  expect(readiness).toMatchObject({ ready: true, degraded: [expect.stringContaining("disk")] });
  expect(await checkReadiness()).toMatchObject({ ready: true, degraded: [] });
  vi.useRealTimers();
});

test("a primary with missing migrations is not ready", async () => {
  await execute(
    `DELETE FROM "_prisma_migrations" WHERE "migration_name" = (SELECT MAX("migration_name") FROM "_prisma_migrations")`,
  );
  expect(await checkReadiness()).toMatchObject({
    ready: false,
    migrationsMissing: 1,
    problems: ["1 migration is not applied."],
  });
  inCluster({ primary: "other", silenceMs: 0 });
  expect(await checkReadiness()).toMatchObject({ ready: true, migrationsMissing: 1 });
});
