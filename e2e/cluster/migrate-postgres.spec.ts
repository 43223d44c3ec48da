// A site moves in from Postgres on the primary of a running cluster: LiteFS takes the file, and every region has it.

import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { importDatabase } from "#lib/replication/import-database.ts";
import { createLegacyCookie } from "#tests/support/legacy-cookie.ts";
import { createSourceSite, readSourceId } from "#tests/support/source-site.ts";
import { openTargetRows } from "#tests/support/source-ledger.ts";
import { startSourceWriter } from "#tests/support/source-writer.ts";
import { findPostgres, startPostgres } from "#tests/support/postgres.ts";
import { assertInvariant } from "#tests/support/invariants.ts";
import { expect, imageDir, test } from "#tests/support/cluster/fixtures.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { readNodeEnvironment } from "#cli/cluster/process-sessions.ts";
import { requestLoginEmail, sendRequest } from "#tests/support/cluster/browser-visitor.ts";

const SECRET = "of-the-site-before";
test.use({ siteEnv: { OLD_COOKIE_SECRET: SECRET, OLD_SESSION_COOKIE: "former_session" } });
test.skip(!findPostgres(), "PostgreSQL's server is not here: apt install postgresql");

/** Runs the image's command on a node, as its owner does in a shell there. */
function migrateOn(
  node: ClusterNode,
  from: string,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "cli/migrate-postgres/main.ts", ...args],
    {
      cwd: imageDir,
      env: { ...readNodeEnvironment(node), MIGRATE_FROM: from },
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

test("a running cluster takes a moved database, from the primary alone, and members are logged in in every region", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const postgres = await startPostgres();
  try {
    const from = await postgres.createDatabase();
    await createSourceSite(from, {
      users: 500,
      sessions: 800,
      calls: 20,
      callBytes: 200_000,
      reads: 20_000,
    });
    const writer = await startSourceWriter(from, { perSecond: 200 });
    const primary = await cluster.waitForPrimary();
    await requestLoginEmail(cluster.getEdgeUrl("ams"), "before.the.move@example.com");

    const refused = await migrateOn(cluster.getNode("ams-1"), from, "cutover", "--site", "none");
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining("not the primary")]);

    const copied = await migrateOn(primary, from, "copy");
    expect(copied.code, copied.output).toBe(0);
    const moved = await migrateOn(
      primary,
      from,
      "cutover",
      "--replace",
      "--site",
      primary.url,
      "--json",
    );
    expect(moved.code, moved.output).toBe(0);
    const result = JSON.parse(
      moved.output.split("\n").find((line) => line.includes('"pauseMs"'))!,
    ) as { how: string; pauseMs: number; isReady: boolean };
    expect(result).toMatchObject({ how: "imported into LiteFS", isReady: true });
    await writer.stop();
    await cluster.waitUntilInSync();
    console.log(`move into a cluster: writes paused for ${Math.round(result.pauseMs)} ms`);

    for (const node of cluster.nodes.values()) {
      const { find, close } = openTargetRows(node.databaseFile);
      assertInvariant(
        `nothing that was committed is missing on ${node.name}`,
        await writer.ledger.check(find),
      );
      close();
    }
    const verified = await migrateOn(primary, from, "verify");
    expect(verified.code, verified.output).toBe(0);

    const id = await readSourceId(from, "session", 3);
    const db = new Database(primary.databaseFile, { readonly: true });
    const isThere = db.prepare(`SELECT count(*) FROM "Session"`).pluck().get() as number;
    db.close();
    expect(isThere).toBeGreaterThan(100);
    const cookie = `former_session=${encodeURIComponent(createLegacyCookie({ sessionId: id }, SECRET))}`;
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
    // And it is written to.
    expect(
      (await requestLoginEmail(cluster.getEdgeUrl("syd"), "after.the.move@example.com")).status,
    ).toBe(303);
    await cluster.waitUntilInSync();
    const aborted = await migrateOn(primary, from, "abort");
    expect(aborted.code, aborted.output).toBe(0);

    // The way back: what was there before the move was kept, as LiteFS takes it.
    const aside = readdirSync(primary.dataDir).find((name) =>
      name.startsWith("moving-in.db.before-"),
    );
    await importDatabase({
      url: primary.litefsUrl,
      name: "lectern.db",
      file: join(primary.dataDir, aside!),
      timeoutMs: 60_000,
    });
    await cluster.waitUntilInSync();
    const back = new Database(primary.databaseFile, { readonly: true });
    expect(back.prepare(`SELECT count(*) FROM "Session"`).pluck().get()).toBeLessThan(100);
    back.close();
    for (const name of readdirSync(primary.dataDir))
      if (name.startsWith("moving-in.db")) rmSync(join(primary.dataDir, name));
  } finally {
    await postgres.close();
  }
});
