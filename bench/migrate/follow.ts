// How many row changes a second the follower applies, counters of reads kept, each batch on the disk.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { follow } from "#lib/migrate/follow.ts";
import { copy, currentPosition } from "#lib/migrate/run.ts";
import { dropSlot } from "#lib/migrate/slot.ts";
import { moveFiles } from "#lib/migrate/state.ts";
import { rebuildCounters } from "#lib/reads/rebuild.ts";
import { FULL, createOldSite, runSql } from "#tests/old-site.ts";
import type { TestPostgres } from "#tests/postgres.ts";

const CHANGES = 120_000;

/** Half of them reads, a sixth each sessions renewed, reads claimed by a member, reads deleted: what a site's log is made of. */
const WRITE = [
  `INSERT INTO "PostRead" SELECT gen_random_uuid()::text, now(), CASE WHEN n % 10 < 3 THEN (SELECT "id" FROM "User" OFFSET n % 1000 LIMIT 1) END, CASE WHEN n % 10 >= 3 THEN gen_random_uuid()::text END, 'old-post-' || n % 200 FROM generate_series(1, ${CHANGES / 2}) AS n`,
  `UPDATE "Session" SET "expirationDate" = "expirationDate" + interval '1 day' WHERE "id" IN (SELECT "id" FROM "Session" LIMIT ${CHANGES / 6})`,
  `UPDATE "PostRead" SET "userId" = (SELECT min("id") FROM "User") WHERE "id" IN (SELECT "id" FROM "PostRead" WHERE "userId" IS NULL LIMIT ${CHANGES / 6})`,
  `DELETE FROM "PostRead" WHERE "id" IN (SELECT "id" FROM "PostRead" WHERE "userId" IS NULL LIMIT ${CHANGES / 6})`,
];

/** Changes a second, from a slot that has them all waiting until the last is on the disk. */
export async function measureFollow(server: TestPostgres, dir: string): Promise<number> {
  const url = await server.createDatabase();
  await createOldSite(url, { ...FULL, calls: 0, reads: 200_000 });
  const to = join(dir, "followed.db");
  const { signal } = new AbortController();
  const state = await copy({
    url,
    to,
    placed: to,
    choices: { unknown: "stop", unfit: "stop" },
    isOldCookieKnown: false,
    rebuild: rebuildCounters,
    onEvent: () => {},
    signal,
  });
  await runSql(url, ...WRITE);
  const until = await currentPosition(url);
  const startedMs = performance.now();
  const { changes } = await follow({ url, file: moveFiles(to).working, state, until, signal });
  const perSecond = changes / ((performance.now() - startedMs) / 1000);
  await dropSlot(url);
  for (const file of Object.values(moveFiles(to)))
    for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(file + suffix, { force: true });
  return perSecond;
}
