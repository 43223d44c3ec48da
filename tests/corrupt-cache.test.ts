import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { closeCacheFile, measureEntries, readEntry, writeEntry } from "#lib/cache/cache-file.ts";
import { env } from "#lib/core/env.ts";
import { read } from "#lib/db/database.ts";

test("the runbook's command deletes the cache file of a running site, and nothing else", async () => {
  const { DATA_DIR } = env;
  const page = readFileSync("docs/runbooks/corrupt-cache.md", "utf8");
  const [, command] = /^ *```sh\n(.*?)^ *```$/ms.exec(page)!;
  writeEntry("key", { metadata: "{}", value: "old" });
  const { status, stderr } = spawnSync("sh", ["-euc", command!], {
    encoding: "utf8",
    env: { ...process.env, DATA_DIR },
  });
  expect([status, stderr]).toEqual([0, ""]);
  expect(readEntry("key")).toMatchObject({ value: "old" });
  closeCacheFile();
  for (const suffix of ["", "-wal", "-shm"])
    expect(existsSync(join(DATA_DIR, `cache.db${suffix}`))).toBe(false);
  expect(existsSync(env.DATABASE_FILE)).toBe(true);
  expect(readEntry("key")).toBeUndefined();
  writeEntry("key", { metadata: "{}", value: "new" });
  expect(measureEntries().entries).toBe(1);
  expect(await read((tx) => tx.user.count())).toBe(0);
});
