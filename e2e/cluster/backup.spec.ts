// Backs up a cluster to a real object store through a failover and an outage of the store, loses every
// volume, and restores: the commands of docs/runbooks/restore.md.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import { formatBytes } from "#lib/core/format.ts";
import type { BackupStatus } from "#lib/core/backup-status.ts";
import { expect, imageDir, test as base } from "#tests/support/cluster/fixtures.ts";
import { readRunbook } from "#tests/support/runbook.ts";
import { requestLoginEmail } from "#tests/support/cluster/browser-visitor.ts";
import { expireLease } from "#tests/support/cluster/lease.ts";
import {
  type TestObjectStore,
  isObjectStoreMissing,
  startObjectStore,
} from "#tests/support/object-store.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { findTools } from "#cli/cluster/tools/find-tools.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { type Archive, findTimeline, listTimelines } from "#server/backup/archive.ts";
import { planRestore } from "#server/backup/plan-restore.ts";
import { createSealer } from "#server/backup/sealed-object.ts";

const test = base.extend<object, { objects: TestObjectStore }>({
  objects: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads a fixture's dependencies from the pattern.
    async ({}, use) => {
      if (isObjectStoreMissing) return use(null as unknown as TestObjectStore);
      const folder = mkdtempSync(join(tmpdir(), "object-store-"));
      const objects = await startObjectStore({ file: join(folder, "objects.db") });
      await use(objects);
      await objects.stop();
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: "worker" },
  ],
  siteEnv: [
    async ({ objects }, use) => use(isObjectStoreMissing ? {} : { ...objects.env }),
    { scope: "worker" },
  ],
});
test.skip(isObjectStoreMissing, "Neither gofakes3 nor Go to build it is installed.");

const openArchive = ({ store, env }: TestObjectStore): Archive => ({
  store,
  sealer: createSealer([env.BACKUP_KEY!]),
});

/** Runs commands of the page as on the node, and returns their output. Rejects if one fails. */
async function runPage(heading: string, env: NodeJS.ProcessEnv): Promise<string> {
  const script = `npm() { shift 3; "${process.execPath}" --disable-warning=ExperimentalWarning cli/backup/main.ts "$@"; }
${readRunbook("restore.md", heading)}`;
  const { stdout } = await promisify(execFile)("sh", ["-euc", script], {
    cwd: imageDir,
    env,
    timeout: 120_000,
  });
  return stdout;
}

const countLogins = (file: string): number => {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare("SELECT count(*) FROM LoginChallenge").pluck().get() as number;
  } finally {
    db.close();
  }
};

/** Adds a member, because a site without one never replaces the backup of another. */
function addMember(file: string): void {
  const db = new Database(file, { timeout: 5_000 });
  try {
    db.prepare(
      "INSERT OR IGNORE INTO User (id, createdAt, updatedAt, email, firstName, team) VALUES (?, 0, 0, ?, ?, ?)",
    ).run("00000000-0000-4000-8000-000000000001", "member@example.com", "Ada", "RED");
  } finally {
    db.close();
  }
}

/** Writes one row, and returns when it was acknowledged. */
async function writeRow(cluster: Cluster, region: string, name: string): Promise<number> {
  const url = cluster.getEdgeUrl(region);
  await waitUntil(
    "A write is accepted",
    60_000,
    async () => (await requestLoginEmail(url, `${name}@example.com`)).status,
    (status) => status === 303,
  );
  return Date.now();
}

/** Waits until the store has the newest transaction of the cluster. Returns how long that took. */
async function waitUntilStored(cluster: Cluster, archive: Archive): Promise<number> {
  const fromMs = performance.now();
  const { checksum } = await cluster.waitUntilInSync();
  await waitUntil(
    "The store has the newest transaction",
    60_000,
    async () => (await planRestore(archive))?.end.checksum,
    (stored) => stored === checksum,
  );
  return Math.round(performance.now() - fromMs);
}

/** Measures with a larger database: `RESTORE_DATABASE=FILE`, such as that of a benchmark. */
async function importLargeDatabase(cluster: Cluster): Promise<void> {
  const file = process.env.RESTORE_DATABASE;
  if (!file) return;
  const { litefs } = await findTools();
  const { litefsUrl } = await cluster.waitForPrimary();
  await promisify(execFile)(litefs, ["import", "-url", litefsUrl, "-name", "lectern.db", file]);
  await cluster.waitUntilInSync(60_000);
}

test("a backup follows the lease, survives an outage of the store, and brings back a lost cluster", async ({
  cluster,
  objects,
}) => {
  test.setTimeout(420_000);
  const archive = openArchive(objects);
  const folder = mkdtempSync(join(tmpdir(), "restored-"));
  try {
    const former = await cluster.waitForPrimary();
    await importLargeDatabase(cluster);
    addMember(former.databaseFile);
    const beforeMs = await writeRow(cluster, "ams", "before.the.failover");
    const storedAfterMs = await waitUntilStored(cluster, archive);
    const [first, ...others] = await listTimelines(archive);
    expect(others).toEqual([]);
    expect(first).toContain(former.name);

    // The lease moves: the new primary continues where the former one stopped, in its own timeline.
    await former.kill();
    await expireLease(cluster);
    const primary = await cluster.waitForPrimary();
    await writeRow(cluster, "ams", "after.the.failover");
    await waitUntil(
      "The new primary writes",
      60_000,
      async () => (await listTimelines(archive))[1],
    );
    former.start();
    await cluster.waitUntilReady();
    const formerObjects = await objects.store.list(`timelines/${first}/`);
    await writeRow(cluster, "ams", "with.everybody.back");
    await waitUntilStored(cluster, archive);
    const timelines = await listTimelines(archive);
    expect(timelines).toHaveLength(2);
    expect(timelines[1]).toContain(primary.name);
    expect((await findTimeline(archive, timelines[1]!))?.parent?.timeline).toBe(first);
    expect(await objects.store.list(`timelines/${first}/`)).toEqual(formerObjects);

    // The store is down for a while.
    await objects.stop();
    await writeRow(cluster, "dfw", "while.the.store.is.down");
    const statusOf = () =>
      JSON.parse(readFileSync(join(primary.dataDir, "backup-status.json"), "utf8")) as BackupStatus;
    await waitUntil("The primary reports it", 30_000, () => statusOf().problem !== null);
    await objects.start();
    await waitUntilStored(cluster, archive);
    await waitUntil("The primary reports the end", 30_000, () => statusOf().problem === null);
    expect(await listTimelines(archive), "without a gap").toHaveLength(2);

    // A replica runs a restore drill, and an operator restores to a given second.
    const environment = cluster.getNode("ams-1").readEnvironment();
    expect(await runPage("Verify that it works", environment)).toMatch(
      /^Passed: [^]*^No problems: /m,
    );
    const past = join(folder, "past.db");
    const pastMs = performance.now();
    await runPage("Choose the state", {
      ...environment,
      TIME: new Date(beforeMs).toISOString(),
      FILE: past,
    });
    const pastAfterMs = Math.round(performance.now() - pastMs);
    const rows = countLogins(primary.databaseFile);
    const size = formatBytes(statSync(primary.databaseFile).size);
    expect({ past: countLogins(past), now: rows }).toEqual({ past: 1, now: 4 });

    // Every volume is lost.
    const restoreEnv = {
      ...cluster.getNode("dfw-1").readEnvironment(),
      LITEFS_LEASE_KEY: "litefs/restored",
    };
    await Promise.all([...cluster.nodes.values()].map((node) => node.kill()));
    for (const node of cluster.nodes.values()) node.deleteData();
    const lostMs = performance.now();
    const output = await runPage("Restore after every volume was lost", restoreEnv);
    const restoredMs = performance.now();
    const candidate = cluster.getNode("dfw-1");
    expect(existsSync(join(candidate.dataDir, "lectern.db"))).toBe(true);
    candidate.start({ LITEFS_LEASE_KEY: "litefs/restored" });
    await candidate.waitUntilReady();
    for (const node of cluster.nodes.values())
      if (node !== candidate) node.start({ LITEFS_LEASE_KEY: "litefs/restored" });
    await writeRow(cluster, "dfw", "after.the.restore");
    const writableMs = performance.now();
    await cluster.waitUntilReady();
    await cluster.waitUntilInSync();
    console.log(
      `backup of ${size}: stored ${storedAfterMs} ms after the write; restored to a second in ${pastAfterMs} ms; ${output.trim()} Restored in ${Math.round(restoredMs - lostMs)} ms, writable after ${Math.round(writableMs - lostMs)} ms, all nodes after ${Math.round(performance.now() - lostMs)} ms`,
    );
    for (const node of cluster.nodes.values())
      expect({ node: node.name, rows: countLogins(node.databaseFile) }).toEqual({
        node: node.name,
        rows: rows + 1,
      });
    await waitUntilStored(cluster, archive);

    expect(
      (await findTimeline(archive, (await listTimelines(archive)).at(-1)!))?.parent,
    ).toBeNull();

    // A mistake is undone in the running cluster.
    const goodMs = Date.now();
    await waitUntil("The second is over", 5_000, () => Date.now() - goodMs > 1_000);
    await writeRow(cluster, "ams", "a.mistake");
    await waitUntilStored(cluster, archive);
    await runPage("Restore a cluster that is running", {
      ...(await cluster.waitForPrimary()).readEnvironment(),
      TIME: new Date(goodMs).toISOString(),
    });
    await cluster.waitUntilInSync();
    for (const node of cluster.nodes.values())
      expect([node.name, countLogins(node.databaseFile)]).toEqual([node.name, rows + 1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
