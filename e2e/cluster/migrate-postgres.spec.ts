// Migrates from PostgreSQL on the primary of a running cluster: LiteFS imports the database and
// replicates it to every region.

import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { importDatabase } from "#lib/replication/import-database.ts";
import { createLegacyCookie } from "#tests/support/legacy-cookie.ts";
import { LEGACY_SITE_ENV } from "#tests/support/e2e/site-under-test.ts";
import { createSourceSite, readSourceId } from "#tests/support/source-site.ts";
import { openTargetRows } from "#tests/support/source-ledger.ts";
import { startSourceWriter } from "#tests/support/source-writer.ts";
import { startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";
import { assertInvariant } from "#tests/support/invariants.ts";
import { expect, imageDir, test } from "#tests/support/cluster/fixtures.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { requestLoginEmail, sendRequest } from "#tests/support/cluster/browser-visitor.ts";

const [LEGACY_SECRET] = LEGACY_SITE_ENV.LEGACY_COOKIE_SECRET.split(",");
test.skip(!findPostgres(), "PostgreSQL's server is not here: apt install postgresql");

/** Runs the image's command with a node's environment, as in a shell there. */
function migrateOn(
  node: ClusterNode,
  sourceUrl: string,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "cli/migrate-postgres/main.ts", ...args],
    {
      cwd: imageDir,
      env: { ...node.readEnvironment(), MIGRATE_FROM: sourceUrl },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (output += data.toString()));
  return new Promise((resolve, reject) =>
    child.on("error", reject).on("close", (code) => resolve({ code, output })),
  );
}

function countSessions(node: ClusterNode): number {
  const db = new Database(node.databaseFile, { readonly: true });
  try {
    return db.prepare(`SELECT count(*) FROM "Session"`).pluck().get() as number;
  } finally {
    db.close();
  }
}

test("a running cluster imports the migrated database on the primary only, and members stay logged in in every region", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const postgres = await startPostgres();
  try {
    const sourceUrl = await postgres.createDatabase();
    await createSourceSite(sourceUrl, {
      users: 500,
      sessions: 800,
      calls: 20,
      callBytes: 200_000,
      reads: 20_000,
    });
    const writer = await startSourceWriter(sourceUrl, { perSecond: 200 });
    const primary = await cluster.waitForPrimary();
    await requestLoginEmail(cluster.getEdgeUrl("ams"), "before.the.migration@example.com");

    const sessionCount = countSessions(primary);

    const refused = await migrateOn(
      cluster.getNode("ams-1"),
      sourceUrl,
      "cutover",
      "--site",
      "none",
    );
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining("not the primary")]);

    const copied = await migrateOn(primary, sourceUrl, "copy");
    expect(copied.code, copied.output).toBe(0);
    const cutover = await migrateOn(
      primary,
      sourceUrl,
      "cutover",
      "--replace",
      "--site",
      primary.url,
      "--json",
    );
    expect(cutover.code, cutover.output).toBe(0);
    const result = JSON.parse(
      cutover.output.split("\n").find((line) => line.includes('"pauseMs"'))!,
    ) as { method: string; pauseMs: number; isReady: boolean };
    expect(result).toMatchObject({ method: "imported into LiteFS", isReady: true });
    await writer.stop();
    await cluster.waitUntilInSync();
    console.log(`migration into a cluster: writes paused for ${Math.round(result.pauseMs)} ms`);

    for (const node of cluster.nodes.values()) {
      const { find, close } = openTargetRows(node.databaseFile);
      assertInvariant(
        `nothing that was committed is missing on ${node.name}`,
        await writer.ledger.check(find),
      );
      close();
    }
    const verified = await migrateOn(primary, sourceUrl, "verify");
    expect(verified.code, verified.output).toBe(0);

    const id = await readSourceId(sourceUrl, "session", 3);
    expect(countSessions(primary)).toBeGreaterThanOrEqual(800);
    const cookie = `former_session=${encodeURIComponent(createLegacyCookie({ sessionId: id }, LEGACY_SECRET!))}`;
    for (const region of cluster.edges.keys()) {
      const page = await sendRequest(`${cluster.getEdgeUrl(region)}/blog/what-litefs-costs`, {
        headers: { cookie },
      });
      expect({ region, status: page.status, isMember: page.text.includes(">Account<") }).toEqual({
        region,
        status: 200,
        isMember: true,
      });
    }
    // The migrated database accepts writes.
    expect(
      (await requestLoginEmail(cluster.getEdgeUrl("ams"), "after.the.migration@example.com"))
        .status,
    ).toBe(303);
    await cluster.waitUntilInSync();
    const aborted = await migrateOn(primary, sourceUrl, "abort");
    expect(aborted.code, aborted.output).toBe(0);

    // The backup of the replaced database can be imported again.
    const backup = readdirSync(primary.dataDir).find((name) =>
      name.startsWith("migration.db.backup-"),
    );
    await importDatabase({
      url: primary.litefsUrl,
      name: "lectern.db",
      file: join(primary.dataDir, backup!),
      timeoutMs: 60_000,
    });
    await cluster.waitUntilInSync();
    expect(countSessions(primary)).toBe(sessionCount);
    // The first write after an import is accepted, although the connections are still open.
    expect(
      (await requestLoginEmail(cluster.getEdgeUrl("ams"), "after.the.import@example.com")).status,
    ).toBe(303);
    for (const name of readdirSync(primary.dataDir))
      if (name.startsWith("migration.db")) rmSync(join(primary.dataDir, name));
  } finally {
    await postgres.close();
  }
});
