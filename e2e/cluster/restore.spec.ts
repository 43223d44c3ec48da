// Tests docs/runbooks/restore.md: a replica's backup runs as a single site, and is restored into a
// running cluster.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, imageDir, test } from "#tests/support/cluster/fixtures.ts";
import { startPlainFileSite } from "#tests/support/cluster/plain-file-site.ts";
import { readLog } from "#cli/cluster/program.ts";
import { findTools } from "#cli/cluster/tools/find-tools.ts";
import { requestLoginEmail, sendRequest } from "#tests/support/cluster/browser-visitor.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { createWorkspace } from "#cli/cluster/workspace.ts";

/** Counts the rows of each table. */
function countRows(file: string): Record<string, number> {
  const db = new Database(file, { readonly: true });
  try {
    const tables = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .pluck()
      .all() as string[];
    return Object.fromEntries(
      tables.map((name) => [
        name,
        db.prepare(`SELECT count(*) FROM "${name}"`).pluck().get() as number,
      ]),
    );
  } finally {
    db.close();
  }
}

/** Checkpoints the WAL, which LiteFS's import does not read, and checks every page. */
function closeWhole(file: string): void {
  const db = new Database(file);
  db.pragma("wal_checkpoint(TRUNCATE)");
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(db.pragma("page_size", { simple: true })).toBe(4_096);
  db.close();
  expect(existsSync(`${file}-wal`)).toBe(false);
}

test("a replica's backup is a whole site on a plain file, and is restored into a running cluster", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(180_000);
  const { litefs } = await findTools();
  const replica = cluster.getNode("ams-1");
  const primary = await cluster.waitForPrimary();
  const folder = mkdtempSync(join(tmpdir(), "lectern-backup-"));
  const workspace = createWorkspace(join(folder, "work"));
  const backup = join(folder, "lectern.db");
  try {
    expect(
      (await requestLoginEmail(cluster.getEdgeUrl("ams"), "in.the.backup@example.com")).status,
    ).toBe(303);
    const there = await cluster.waitUntilInSync();
    const rows = countRows(primary.databaseFile);
    expect(rows.LoginChallenge).toBeGreaterThan(0);

    // 1. Backs up from a replica, without load on the primary.
    expect(
      spawnSync(litefs, ["export", "-url", replica.litefsUrl, "-name", "lectern.db", backup], {
        encoding: "utf8",
      }),
    ).toMatchObject({ status: 0 });
    closeWhole(backup);
    expect(countRows(backup)).toEqual(rows);

    // 2. Runs the image on it, without LiteFS.
    const { url, log, program } = await startPlainFileSite({
      imageDir,
      folder,
      workspace,
      env: { SMTP_URL: smtp.url },
    });
    await waitUntil(
      "the site on the plain file serves",
      60_000,
      async () => (await sendRequest(`${url}/healthz`)).status,
      (status) => status === 200,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${readLog(log, 3_000)}`);
    });
    expect((await sendRequest(`${url}/blog`)).status).toBe(200);
    const written = await requestLoginEmail(url, "on.the.file@example.com");
    expect({
      status: written.status,
      cookies: String(written.headers["set-cookie"]).includes("txid="),
    }).toEqual({ status: 303, cookies: false });
    expect(await program.stop(20_000)).toBe(0);

    // 3. Restores into the running cluster. Writes since the backup are lost.
    closeWhole(backup);
    const expected = countRows(backup);
    expect(expected).toEqual({ ...rows, LoginChallenge: rows.LoginChallenge! + 1 });
    expect(
      (await requestLoginEmail(cluster.getEdgeUrl("ams"), "after.the.backup@example.com")).status,
    ).toBe(303);
    expect(
      spawnSync(litefs, ["import", "-url", replica.litefsUrl, "-name", "lectern.db", backup], {
        encoding: "utf8",
      }).status,
      "a replica takes no import",
    ).not.toBe(0);
    const startMs = performance.now();
    expect(
      spawnSync(litefs, ["import", "-url", primary.litefsUrl, "-name", "lectern.db", backup], {
        encoding: "utf8",
      }),
    ).toMatchObject({ status: 0 });
    const back = await cluster.waitUntilInSync();
    console.log(
      `restore: ${Object.values(expected).reduce((sum, n) => sum + n, 0)} rows in ${Object.keys(expected).length} tables, on all nodes ${Math.round(performance.now() - startMs)} ms after the import began`,
    );
    expect(back.txid).toBeGreaterThan(there.txid);
    for (const node of cluster.nodes.values())
      expect({ node: node.name, rows: countRows(node.databaseFile) }).toEqual({
        node: node.name,
        rows: expected,
      });

    // 4. Every node serves it without a restart.
    for (const region of cluster.edges.keys())
      expect((await sendRequest(`${cluster.getEdgeUrl(region)}/blog`)).status).toBe(200);
    expect(
      (await requestLoginEmail(cluster.getEdgeUrl("ams"), "after.the.restore@example.com")).status,
    ).toBe(303);
    await cluster.waitUntilInSync();
    expect(countRows(cluster.getNode("ams-1").databaseFile).LoginChallenge).toBe(
      expected.LoginChallenge! + 1,
    );
  } finally {
    await workspace.remove({ keep: false });
    rmSync(folder, { recursive: true, force: true });
  }
});
