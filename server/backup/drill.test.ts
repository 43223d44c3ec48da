import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import {
  type TestObjectStore,
  isObjectStoreMissing,
  startObjectStore,
} from "#tests/support/object-store.ts";
import { execute } from "#tests/support/database.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { write } from "#lib/db/database.ts";
import type { Archive } from "./archive.ts";
import { isDrillDue } from "./drill-schedule.ts";
import { compareTotals, countTotals, runDrill } from "./drill.ts";
import { isNewSite } from "./open-source.ts";
import { findLastDrill } from "./observe.ts";
import { createSealer } from "./sealed-object.ts";
import { WalSource } from "./wal-source.ts";
import { openWriter } from "./writer.ts";

describe.skipIf(isObjectStoreMissing)("a drill", () => {
  let objects: TestObjectStore;
  let archive: Archive;
  beforeAll(async () => {
    objects = await startObjectStore();
    archive = { store: objects.store, sealer: createSealer(["0123456789abcdef0123456789abcdef"]) };
  });
  afterAll(() => objects.stop());

  const drill = () =>
    runDrill(archive, {
      folder: join(env.DATA_DIR, "drill"),
      liveFile: env.DATABASE_FILE,
      instance: "test-1",
    });

  test("passes on a whole backup of the site, and fails if much is missing in it", async () => {
    await write((tx) => insertUser(tx));
    const source = new WalSource(env.DATABASE_FILE);
    try {
      await openWriter(archive, source, {
        instance: "test-1",
        retentionMs: DAY_MS,
        isNewSite,
      });
      const passed = await drill();
      expect(passed).toMatchObject({ problems: [], instance: "test-1" });
      expect(passed.rows).toBeGreaterThan(0);
      expect(await findLastDrill(archive)).toEqual(passed);
      await write((tx) => {
        for (let i = 0; i < 60; i += 1) insertUser(tx);
      });
      const failed = await drill();
      expect(failed.problems).toEqual(["rows of User: 1 in the backup, 61 in the live database"]);
    } finally {
      source.close();
    }
  });

  test("fails if counters disagree with the rows", async () => {
    await execute("UPDATE SiteTotal SET reads = reads + 7");
    const totals = countTotals(env.DATABASE_FILE);
    expect(compareTotals(totals, totals, totals)).toEqual([
      "reads in the backup disagree: 7 in total, 0 by post, 0 rows",
    ]);
  });

  test("fails without throwing if the backup can't be read", async () => {
    const other: Archive = { ...archive, sealer: createSealer(["f".repeat(32)]) };
    const { problems } = await runDrill(other, {
      folder: join(env.DATA_DIR, "drill"),
      liveFile: env.DATABASE_FILE,
      instance: "test-1",
    });
    expect(problems.join()).toMatch(/BACKUP_KEY does not fit/);
  });
});

test("replicas run the drills, and the primary only if none has for another day", () => {
  const nowMs = 100 * DAY_MS;
  const due = (change: Partial<Parameters<typeof isDrillDue>[0]>) =>
    isDrillDue({
      intervalDays: 7,
      lastDrillAtMs: nowMs - 7 * DAY_MS,
      isPrimary: false,
      isReplicated: true,
      startedAtMs: nowMs,
      nowMs,
      ...change,
    });
  expect(due({})).toBe(true);
  expect(due({ lastDrillAtMs: nowMs - 6 * DAY_MS })).toBe(false);
  expect(due({ lastDrillAtMs: null })).toBe(true);
  expect(due({ isPrimary: true })).toBe(false);
  expect(due({ isPrimary: true, lastDrillAtMs: nowMs - 8 * DAY_MS })).toBe(true);
  expect(due({ isPrimary: true, lastDrillAtMs: null })).toBe(false);
  expect(due({ isPrimary: true, lastDrillAtMs: null, startedAtMs: nowMs - DAY_MS })).toBe(true);
  expect(due({ isPrimary: true, isReplicated: false })).toBe(true);
  expect(due({ isPrimary: true, isReplicated: false, lastDrillAtMs: null })).toBe(true);
  expect(due({ intervalDays: 0 })).toBe(false);
});
