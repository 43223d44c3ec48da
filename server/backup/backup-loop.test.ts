// Runs the loop of the backup process on a plain database file, with a real object store.

import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { findBackupStatus } from "#lib/core/backup-status.ts";
import { DAY_MS, SECOND_MS } from "#lib/core/clock.ts";
import {
  type TestObjectStore,
  isObjectStoreMissing,
  startObjectStore,
} from "#tests/support/object-store.ts";
import { overrideEnv, restoreEnv } from "#tests/support/override-env.ts";
import { type Archive, listTimelines } from "./archive.ts";
import { runBackupLoop } from "./backup-loop.ts";
import { createBackup } from "./create-backup.ts";
import { planRestore } from "./plan-restore.ts";
import { restoreDatabase } from "./restore.ts";
import { createSealer } from "./sealed-object.ts";

describe.skipIf(isObjectStoreMissing)("the backup process", () => {
  let objects: TestObjectStore;
  let folder: string;
  let db: Database.Database;
  let archive: Archive;
  let stop: AbortController;
  let ended: Promise<void>;

  beforeEach(async () => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    objects = await startObjectStore();
    folder = mkdtempSync(join(tmpdir(), "backup-loop-"));
    const file = join(folder, "live.db");
    overrideEnv({
      DATA_DIR: folder,
      DATABASE_FILE: file,
      BACKUP_INTERVAL_SECONDS: "1",
      BACKUP_DRILL_DAYS: "0",
    });
    db = new Database(file);
    db.pragma("journal_mode = WAL");
    db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY)");
    archive = { store: objects.store, sealer: createSealer(["k".repeat(32)]) };
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await ended.catch(() => undefined);
    db.close();
    await objects.stop();
    rmSync(folder, { recursive: true, force: true });
    restoreEnv();
  });

  const start = () => (ended = runBackupLoop(archive, stop.signal, () => Promise.resolve()));
  const insert = () => db.exec("INSERT INTO item DEFAULT VALUES");
  const countRestored = async () => {
    if (!(await planRestore(archive))) return 0;
    const copy = join(folder, `copy-${performance.now()}.db`);
    await restoreDatabase(archive, copy);
    const restored = new Database(copy);
    const count = restored.prepare("SELECT count(*) FROM item").pluck().get();
    restored.close();
    return count;
  };
  const waitUntilStored = (count: number) =>
    waitUntil(`${count} rows are stored`, 15_000, countRestored, (stored) => stored === count);

  test("a snapshot that has to wait for a reader loses no transaction and starts no timeline", async () => {
    insert();
    void start();
    await waitUntilStored(1);
    const reader = new Database(join(folder, "live.db"));
    reader.exec("BEGIN");
    reader.prepare("SELECT * FROM item").all();
    insert();
    const requestedAtMs = Date.now();
    const created = createBackup(archive);
    created.catch(() => undefined);
    await waitUntil("The problem is reported", 15_000, () =>
      findBackupStatus()?.problem?.includes("Another process"),
    );
    insert();
    await waitUntilStored(3);
    reader.close();
    expect(await created).toBeGreaterThanOrEqual(requestedAtMs);
    expect(await listTimelines(archive)).toHaveLength(1);
  }, 60_000);

  test("a backup goes on if its status can't be written, as on a full disk", async () => {
    mkdirSync(join(folder, "backup-status.json.partial"));
    insert();
    void start();
    await waitUntilStored(1);
    insert();
    await waitUntilStored(2);
    expect(await listTimelines(archive)).toHaveLength(1);
  }, 60_000);

  test.each(["backup-drill", "backup-drill-manual"])(
    "the copy of a drill that was killed is deleted from %s",
    async (name) => {
      const copy = join(folder, name, "restored.db");
      mkdirSync(dirname(copy));
      writeFileSync(copy, "copy");
      const timeS = (Date.now() - 2 * DAY_MS) / SECOND_MS;
      utimesSync(dirname(copy), timeS, timeS);
      void start();
      await waitUntil("The copy is deleted", 20_000, () => !existsSync(copy));
    },
  );

  test("the copy of a manual drill is kept while the drill may be running", async () => {
    const copy = join(folder, "backup-drill-manual", "restored.db");
    mkdirSync(dirname(copy));
    writeFileSync(copy, "copy");
    insert();
    void start();
    await waitUntilStored(1);
    expect(existsSync(copy)).toBe(true);
  });

  test("a drill that failed does not start again immediately", async () => {
    overrideEnv({ BACKUP_DRILL_DAYS: "1" });
    const startDrill = vi.fn(() => Promise.reject(new Error("out of memory")));
    ended = runBackupLoop(archive, stop.signal, startDrill);
    await vi.waitFor(() => expect(startDrill).toHaveBeenCalled(), 15_000);
    // Each takes a tick of the loop.
    for (const count of [1, 2, 3]) {
      insert();
      await waitUntilStored(count);
    }
    expect(startDrill).toHaveBeenCalledOnce();
  }, 60_000);
});
