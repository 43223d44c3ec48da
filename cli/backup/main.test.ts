import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import {
  type TestObjectStore,
  isObjectStoreMissing,
  startObjectStore,
} from "#tests/support/object-store.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { env } from "#lib/core/env.ts";
import { closeDatabase, read, write } from "#lib/db/database.ts";

describe.skipIf(isObjectStoreMissing)("npm run backup", () => {
  let objects: TestObjectStore;
  beforeAll(async () => {
    objects = await startObjectStore();
  });
  afterAll(() => objects.stop());

  /** Runs the real command on this test's database, with its own prefix in the store. */
  function backup(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "cli/backup/main.ts", ...args],
      {
        encoding: "utf8",
        env: {
          ...process.env,
          ...objects.env,
          BACKUP_BUCKET: `backups/${env.DATA_DIR.split("/").at(-1)}`,
        },
      },
    );
    return { status, stdout, stderr };
  }
  const countUsers = () => read((tx) => tx.user.count());

  test("a backup is created, listed, verified, drilled and restored in place", async () => {
    await write((tx) => insertUser(tx));
    const scheduledDrill = join(env.DATA_DIR, "backup-drill", "restored.db");
    mkdirSync(dirname(scheduledDrill));
    writeFileSync(scheduledDrill, "copy");
    expect(backup("list")).toMatchObject({ status: 0, stdout: "There is no backup yet.\n" });
    expect(backup("create").stdout).toMatch(/^A snapshot of .*Z is stored\.\n$/);
    expect(backup("list").stdout).toMatch(/A restore can reach any second from .*Z to .*Z\.\n$/);
    expect(backup("verify")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^No problems: /) as string,
    });
    expect(backup("drill")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Passed: /) as string,
    });
    expect(existsSync(scheduledDrill)).toBe(true);
    await write((tx) => insertUser(tx));
    expect(await countUsers()).toBe(2);
    await closeDatabase();
    expect(backup("restore", "--to", env.DATABASE_FILE)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("exists") as string,
    });
    expect(backup("restore", "--to", env.DATABASE_FILE, "--replace")).toMatchObject({ status: 0 });
    expect(await countUsers()).toBe(1);
    expect(readdirSync(env.DATA_DIR).join()).toMatch(/lectern\.db\.before-restore-/);
  });

  test("a wrong command, option, time or destination is refused, and writes no file", () => {
    const target = join(env.DATA_DIR, "restored.db");
    for (const args of [
      [],
      ["destroy"],
      ["restore", "--at", "yesterday", "--to", target],
      ["restore", "--at", "2026-13-01T10:00:00Z", "--to", target],
    ])
      expect([args, backup(...args).status]).toEqual([args, 2]);
    expect(backup("restore", "--to", target)).toMatchObject({
      status: 1,
      stderr: "The object store has no backup under this bucket and prefix.\n",
    });
    const folder = join(env.DATA_DIR, "folder");
    mkdirSync(folder);
    expect(backup("restore", "--to", folder, "--replace")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("is a folder") as string,
    });
    expect(backup("restore", "--import", "--to", target).status).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
    expect(backup("restore", "--import")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("REPLICATION is off") as string,
    });
    expect(existsSync(target)).toBe(false);
  });

  test("a restore writes to DATABASE_FILE by default, and does not overwrite it", () => {
    const file = join(env.DATA_DIR, "elsewhere.db");
    writeFileSync(file, "");
    overrideEnv({ DATABASE_FILE: file });
    expect(backup("restore")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`${file} exists`) as string,
    });
  });
});
