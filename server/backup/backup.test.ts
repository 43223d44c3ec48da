// Backs up a plain database file to a real object store while it is written, and restores it.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fuzzCount, seededRandom } from "#tests/support/random.ts";
import {
  type TestObjectStore,
  isObjectStoreMissing,
  startObjectStore,
} from "#tests/support/object-store.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { type Archive, listSegments, listSnapshots, listTimelines, putSealed } from "./archive.ts";
import { PostponedError } from "./change-source.ts";
import { openObjectStore } from "./object-store.ts";
import { planRestore } from "./plan-restore.ts";
import { pruneArchive } from "./prune.ts";
import { restoreDatabase } from "./restore.ts";
import { createSealer } from "./sealed-object.ts";
import { verifyArchive } from "./verify.ts";
import { WalSource } from "./wal-source.ts";
import { openWriter } from "./writer.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const DAY_MS = 86_400_000;

describe.skipIf(isObjectStoreMissing)("a backup of a plain file", () => {
  let objects: TestObjectStore;
  let folder: string;
  let file: string;
  let db: Database.Database;
  let archive: Archive;
  let prefixes = 0;
  let isNewSite = false;
  const open: WalSource[] = [];

  beforeAll(async () => {
    objects = await startObjectStore();
  });
  afterAll(() => objects.stop());

  const openArchive = (key = KEY): Archive => ({
    store: openObjectStore({
      endpoint: objects.endpoint,
      region: "auto",
      accessKeyId: "test",
      secretAccessKey: "test",
      bucket: `backups/unit-${prefixes}`,
      attempts: 1,
      timeoutMs: 10_000,
    }),
    sealer: createSealer([key]),
  });

  beforeEach(() => {
    prefixes += 1;
    isNewSite = false;
    folder = mkdtempSync(join(tmpdir(), "backup-"));
    file = join(folder, "live.db");
    db = new Database(file, { timeout: 0 });
    db.pragma("page_size = 4096");
    db.pragma("journal_mode = WAL");
    db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, value BLOB)");
    archive = openArchive();
  });
  afterEach(() => {
    for (const source of open.splice(0)) source.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const openSource = (): WalSource => {
    const source = new WalSource(file);
    open.push(source);
    return source;
  };
  const startWriter = async (retentionMs = DAY_MS) => {
    const source = openSource();
    const writer = await openWriter(archive, source, {
      instance: "test-1",
      retentionMs,
      isNewSite: () => isNewSite,
    });
    return { source, writer };
  };
  const insert = (value = "x") => db.prepare("INSERT INTO item (value) VALUES (?)").run(value);
  /** Returns all rows of a restored copy, after SQLite's own check of the file. */
  const restoreRows = async (timeMs?: number, from = archive): Promise<unknown[]> => {
    const copy = join(folder, `copy-${performance.now()}.db`);
    await restoreDatabase(from, copy, timeMs);
    const restored = new Database(copy);
    try {
      expect(restored.pragma("integrity_check", { simple: true })).toBe("ok");
      return restored.prepare("SELECT * FROM item ORDER BY id").all();
    } finally {
      restored.close();
    }
  };
  const liveRows = () => db.prepare("SELECT * FROM item ORDER BY id").all();

  test("transactions after the snapshot are restored, too", async () => {
    insert("before");
    const { writer } = await startWriter();
    insert("after");
    await writer.flush();
    expect(await restoreRows()).toEqual(liveRows());
    expect(await verifyArchive(archive, { isComplete: true })).toMatchObject({ problems: [] });
  });

  test.each(Array.from({ length: fuzzCount(1) }, (_, index) => index + 1))(
    "random writes, checkpoints and vacuums are followed (seed %i)",
    async (seed) => {
      const random = seededRandom(seed);
      const { source, writer } = await startWriter();
      const other = new Database(file, { timeout: 0 });
      for (let round = 0; round < 60; round += 1) {
        const writerDb = random() < 0.5 ? db : other;
        const size = Math.floor(random() * 20_000);
        for (let i = 0; i < random() * 12; i += 1)
          writerDb.prepare("INSERT INTO item (value) VALUES (zeroblob(?))").run(size);
        if (random() < 0.3) db.exec("DELETE FROM item WHERE id % 3 = 0");
        if (random() < 0.1) db.exec("VACUUM");
        if (random() < 0.4) db.pragma("wal_checkpoint(PASSIVE)");
        if (random() < 0.2) db.pragma("wal_checkpoint(TRUNCATE)");
        if (random() < 0.7) source.poll();
        if (random() < 0.3) await writer.flush();
        if (random() < 0.1) await writer.flush({ isSnapshotDue: true });
      }
      other.close();
      await writer.flush();
      expect(await restoreRows()).toEqual(liveRows());
      expect(await listTimelines(archive), "no transaction was missed").toHaveLength(1);
      expect(await verifyArchive(archive, { isComplete: true })).toMatchObject({ problems: [] });
    },
  );

  test("another process writes and checkpoints at full speed, and no transaction is missed", async () => {
    const { writer, source } = await startWriter();
    source.start();
    const script = `
      const db = new (require("better-sqlite3"))(process.argv[1], { timeout: 5000 });
      db.pragma("synchronous = OFF");
      const insert = db.prepare("INSERT INTO item (value) VALUES (randomblob(?))");
      const endMs = Date.now() + 1000;
      for (let i = 0; Date.now() < endMs || i < 200; i += 1) {
        db.transaction(() => { for (let k = 0; k < 1 + (i % 7); k += 1) insert.run((i * 977) % 9000); })();
        if (i % 20 === 0) db.prepare("DELETE FROM item WHERE id % 5 = ?").run(i % 5);
      }
      db.close();`;
    const child = spawn(process.execPath, ["-e", script, file], { stdio: "inherit" });
    const exited = once(child, "exit");
    while (child.exitCode === null) {
      await writer.flush();
      await Promise.race([exited, sleep(100)]);
    }
    expect(child.exitCode).toBe(0);
    await writer.flush();
    // Also compares the sum of all pages with the file.
    await writer.flush({ isSnapshotDue: true });
    expect(await restoreRows()).toEqual(liveRows());
    expect(await listTimelines(archive)).toHaveLength(1);
  });

  test("a restore to a second has exactly what was committed by then", async () => {
    const { source, writer } = await startWriter();
    const states: { timeMs: number; rows: unknown[] }[] = [];
    for (let round = 0; round < 5; round += 1) {
      insert(`round ${round}`);
      source.poll();
      const timeMs = Date.now();
      states.push({ timeMs, rows: liveRows() });
      await waitUntil("The clock moves on", 1_000, () => Date.now() > timeMs);
      if (round % 2 === 1) await writer.flush({ isSnapshotDue: round === 3 });
    }
    await writer.flush();
    for (const { timeMs, rows } of states) expect(await restoreRows(timeMs)).toEqual(rows);
    await expect(restoreRows(states[0]!.timeMs - DAY_MS)).rejects.toThrow(/no state as old as/);
  });

  test("a write between the last transactions and a snapshot leaves no gap", async () => {
    const { source, writer } = await startWriter();
    const freeze = source.freeze.bind(source);
    source.freeze = () => (insert("before the snapshot"), freeze());
    await writer.flush({ isSnapshotDue: true });
    for (const value of ["after", "later"]) {
      insert(value);
      await writer.flush();
      expect(await restoreRows()).toEqual(liveRows());
    }
    expect(await verifyArchive(archive, { isComplete: true })).toMatchObject({ problems: [] });
  });

  test("a restarted process continues without a snapshot if nothing was written in the meantime", async () => {
    const first = await startWriter();
    insert();
    await first.writer.flush();
    first.source.close();
    open.splice(0);
    const second = await startWriter();
    insert();
    await second.writer.flush();
    const timelines = await listTimelines(archive);
    expect(timelines).toHaveLength(2);
    expect(await listSnapshots(archive, timelines[1]!)).toEqual([]);
    expect(await restoreRows()).toEqual(liveRows());
  });

  test("a restarted process takes a snapshot if something was written in the meantime", async () => {
    const first = await startWriter();
    first.source.close();
    open.splice(0);
    insert();
    const second = await startWriter();
    insert();
    await second.writer.flush();
    expect(await listSnapshots(archive, (await listTimelines(archive))[1]!)).toHaveLength(1);
    expect(await restoreRows()).toEqual(liveRows());
  });

  test("a snapshot of several parts is restored and verified", async () => {
    for (let i = 0; i < 10; i += 1) db.exec("INSERT INTO item (value) VALUES (zeroblob(1000000))");
    const { writer } = await startWriter();
    insert("after");
    await writer.flush();
    expect(await restoreRows()).toEqual(liveRows());
    const { problems, objects: count } = await verifyArchive(archive, { isComplete: true });
    expect(problems).toEqual([]);
    expect(count).toBeGreaterThan(3);
    const [timeline] = await listTimelines(archive);
    const [snapshot] = await listSnapshots(archive, timeline!);
    await archive.store.delete(`${snapshot!.folder}/000001`);
    await expect(restoreRows()).rejects.toThrow(/000001 is missing/);
  });

  test("a new site does not hide the backup of the one that was lost", async () => {
    isNewSite = true;
    const first = await startWriter();
    insert("of the lost site");
    await first.writer.flush();
    const rows = liveRows();
    first.source.close();
    open.splice(0);
    db.exec("DELETE FROM item");
    await expect(startWriter()).rejects.toThrow(/this site is new/);
    expect(await restoreRows()).toEqual(rows);
  });

  test("a former writer that keeps writing changes nothing in the new timeline", async () => {
    const former = await startWriter();
    insert("both");
    await former.writer.flush();
    const current = await startWriter();
    insert("current");
    await current.writer.flush();
    const rows = liveRows();
    insert("former");
    await former.writer.flush();
    expect(await restoreRows()).toEqual(rows);
    expect(await verifyArchive(archive, { isComplete: true })).toMatchObject({ problems: [] });
  });

  test("the wrong key restores nothing and says which key is needed", async () => {
    const { writer } = await startWriter();
    await writer.flush();
    const other = openArchive("fedcba9876543210fedcba9876543210");
    await expect(restoreRows(undefined, other)).rejects.toThrow(/BACKUP_KEY does not fit/);
    const [timeline] = await listTimelines(archive);
    const [snapshot] = await listSnapshots(archive, timeline!);
    const stored = await archive.store.find(`${snapshot!.folder}/000000`);
    expect(stored!.includes("SQLite format 3"), "the store sees no plain text").toBe(false);
  });

  test("after a key rotation, both keys restore, and the new one encrypts", async () => {
    const { writer } = await startWriter();
    const newKey = "fedcba9876543210fedcba9876543210";
    const rotated: Archive = { ...archive, sealer: createSealer([newKey, KEY]) };
    await putSealed(rotated, "probe", Buffer.from("x"));
    await writer.flush();
    expect(await restoreRows(undefined, rotated)).toEqual(liveRows());
    await expect(
      archive.store.find("probe").then((object) => archive.sealer.open("probe", object!)),
    ).rejects.toThrow(/does not fit/);
  });

  test("a damaged, a missing and an exchanged object are found, and not restored", async () => {
    const { writer } = await startWriter();
    for (const value of ["a", "b", "c"]) {
      insert(value);
      await writer.flush();
    }
    const [timeline] = await listTimelines(archive);
    const segments = await listSegments(archive, timeline!, 0);
    expect(segments).toHaveLength(3);
    const { name } = segments[1]!;
    const object = (await archive.store.find(name))!;
    const damaged = Buffer.from(object);
    damaged[damaged.length >> 1]! ^= 1;
    for (const [change, problem] of [
      [() => archive.store.put(name, damaged), /damaged/],
      [() => archive.store.put(name, object.subarray(0, 40)), /damaged|cut off/],
      [
        async () => archive.store.put(name, (await archive.store.find(segments[2]!.name))!),
        /damaged/,
      ],
      [() => archive.store.delete(name), /is missing in the object store/],
    ] as const) {
      await archive.store.put(name, object);
      await change();
      const { problems } = await verifyArchive(archive, { isComplete: false });
      expect(problems.join()).toMatch(problem);
      await expect(restoreRows()).rejects.toThrow(problem);
    }
    expect(existsSync(join(folder, "copy.db"))).toBe(false);
  });

  test("a restarted process takes a snapshot if the backup has a gap", async () => {
    const first = await startWriter();
    for (const value of ["a", "b", "c"]) {
      insert(value);
      await first.writer.flush();
    }
    first.source.close();
    open.splice(0);
    const [timeline] = await listTimelines(archive);
    await archive.store.delete((await listSegments(archive, timeline!, 0))[1]!.name);
    isNewSite = true;
    await expect(startWriter()).rejects.toThrow(/this site is new/);
    isNewSite = false;
    await startWriter();
    expect(await restoreRows()).toEqual(liveRows());
  });

  test("the store is down for a while, and nothing is lost", async () => {
    const own = await startObjectStore({ file: join(folder, "objects.db") });
    try {
      archive = {
        ...archive,
        store: openObjectStore({
          endpoint: own.endpoint,
          region: "auto",
          accessKeyId: "test",
          secretAccessKey: "test",
          bucket: "backups",
          attempts: 1,
        }),
      };
      const { source, writer } = await startWriter();
      insert("before");
      await writer.flush();
      await own.stop();
      insert("during");
      source.poll();
      await expect(writer.flush()).rejects.toThrow(/The object store at 127\.0\.0\.1:\d+ failed/);
      insert("still during");
      await expect(writer.flush()).rejects.toThrow(/failed/);
      await own.start();
      await writer.flush();
      expect(await restoreRows()).toEqual(liveRows());
      expect(await listTimelines(archive)).toHaveLength(1);
    } finally {
      await own.stop();
    }
  });

  test("objects that no restore within the retention period needs are deleted", async () => {
    const { writer } = await startWriter();
    insert("old");
    await writer.flush({ isSnapshotDue: true });
    insert("older than the cutoff");
    await writer.flush({ isSnapshotDue: true });
    const idleMs = Date.now();
    await waitUntil("The clock moves on", 1_000, () => Date.now() > idleMs);
    await writer.flush({ isSnapshotDue: true });
    const cutoffMs = Date.now();
    await waitUntil("The clock moves on", 1_000, () => Date.now() > cutoffMs);
    const rows = liveRows();
    insert("new");
    await writer.flush();
    await pruneArchive(archive, cutoffMs - DAY_MS);
    expect(await listSnapshots(archive, (await listTimelines(archive))[0]!)).toHaveLength(4);
    await pruneArchive(archive, cutoffMs);
    expect(await listSnapshots(archive, (await listTimelines(archive))[0]!)).toHaveLength(1);
    expect(await restoreRows(cutoffMs)).toEqual(rows);
    expect(await restoreRows()).toEqual(liveRows());
    expect(await verifyArchive(archive, { isComplete: true })).toMatchObject({ problems: [] });
  });

  test("old objects are deleted even if every snapshot follows a gap", async () => {
    const { source, writer } = await startWriter(0);
    for (let round = 0; round < 3; round += 1) {
      const snapshotMs = Date.now();
      await waitUntil("The clock moves on", 1_000, () => Date.now() > snapshotMs);
      insert();
      source.poll();
      // Makes the source drop what the writer has not stored yet.
      await source.readChanges(source.position);
      await writer.flush();
    }
    expect(await listTimelines(archive)).toHaveLength(2);
    expect(await restoreRows()).toEqual(liveRows());
  });

  test("a snapshot is stored even if a gap keeps old objects from being deleted", async () => {
    const { writer } = await startWriter(0);
    for (const value of ["a", "b", "c"]) {
      insert(value);
      await writer.flush();
    }
    const [timeline] = await listTimelines(archive);
    await archive.store.delete((await listSegments(archive, timeline!, 0))[1]!.name);
    await writer.flush({ isSnapshotDue: true });
    expect(await listSnapshots(archive, timeline!)).toHaveLength(2);
    expect(await restoreRows()).toEqual(liveRows());
  });

  test("the rest of a forked timeline is verified after its start was deleted", async () => {
    const first = await startWriter();
    first.source.close();
    open.splice(0);
    const { writer } = await startWriter();
    insert("old");
    await writer.flush({ isSnapshotDue: true });
    const cutoffMs = Date.now();
    insert("new");
    await writer.flush();
    expect(await listTimelines(archive)).toHaveLength(2);
    await pruneArchive(archive, cutoffMs);
    expect(await listTimelines(archive)).toHaveLength(1);
    expect(await restoreRows()).toEqual(liveRows());
    expect(await verifyArchive(archive, { isComplete: true })).toMatchObject({ problems: [] });
  });

  test("once the reader that blocked the checkpoint is gone, the backup starts", () => {
    const reader = new Database(file);
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM item").get();
    insert();
    expect(openSource).toThrow("Another process");
    reader.close();
    insert();
    openSource();
  });

  test("a long write transaction of another process postpones the checkpoint", async () => {
    const { writer } = await startWriter();
    insert();
    db.exec("BEGIN IMMEDIATE");
    await expect(writer.flush({ isSnapshotDue: true })).rejects.toThrow(PostponedError);
    db.exec("COMMIT");
    await writer.flush({ isSnapshotDue: true });
    expect(await restoreRows()).toEqual(liveRows());
    expect(await listTimelines(archive)).toHaveLength(1);
  });

  test("a replaced file is noticed", async () => {
    const { source } = await startWriter();
    const { status } = spawnSync("sh", [
      "-c",
      `cp '${file}' '${file}.2' && mv '${file}.2' '${file}'`,
    ]);
    expect(status).toBe(0);
    expect(() => source.poll()).toThrow(/was replaced/);
  });

  test("an empty store has no plan", async () => {
    expect(await planRestore(archive)).toBeNull();
    await expect(restoreRows()).rejects.toThrow(/has no backup/);
    expect((await verifyArchive(archive, { isComplete: false })).problems).toEqual([
      "The object store has no backup",
    ]);
  });
});
