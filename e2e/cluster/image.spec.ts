// Tests the image without the checkout, and a site that joins and leaves replication.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import Database from "better-sqlite3";
import { findFreePort } from "#tests/support/free-port.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { type Environment, readLog, startProgram } from "#cli/cluster/program.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { FlyCommand } from "#tests/support/cluster/fly-command.ts";
import { readRunbook } from "#tests/support/runbook.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { createWorkspace } from "#cli/cluster/workspace.ts";

const IMAGE = resolve(process.env.CLUSTER_IMAGE ?? join(".data", "image"));
const CHECKOUT = process.cwd();

test("the image holds no tests, secrets or unused sources", () => {
  const files = readdirSync(IMAGE, { recursive: true, encoding: "utf8" }).filter(
    (file) => !file.startsWith("node_modules"),
  );
  expect(files.filter((file) => /\.test\.|^(tests|e2e|bench|docs|\.git|\.env)/.test(file))).toEqual(
    [],
  );
  expect(files).toEqual(
    expect.arrayContaining([
      "server/site.ts",
      "litefs.yml",
      "server/supervisor/main.ts",
      "server/launcher/main.ts",
      "lib/posts/mdx/compile-worker.ts",
    ]),
  );
  // Only Next's files contain the path of the build folder.
  const named = files.filter(
    (file) =>
      /\.(ts|mjs|yml)$/.test(file) && readFileSync(join(IMAGE, file), "utf8").includes(CHECKOUT),
  );
  expect(named).toEqual([]);
});

test("without replication the image serves the site from a plain file, without the checkout", async () => {
  test.skip(process.getuid?.() !== 0, "hiding the checkout needs root");
  // It compiles the posts, which other tests share.
  test.setTimeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "lectern-image-"));
  const workspace = createWorkspace(join(folder, "work"));
  const image = join(folder, "image");
  mkdirSync(image);
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  // Node may be installed in the checkout, too.
  const node = join(folder, "node");
  writeFileSync(node, "");
  const env: Environment = {
    PATH: "/usr/bin:/bin",
    HOME: folder,
    REPLICATION: "off",
    DATA_DIR: join(folder, "data"),
    HOST: "127.0.0.1",
    PORT: String(port),
    SITE_URL: url,
    APP_UID: "65534",
    APP_GID: "65534",
  };
  spawnSync("chmod", ["-R", "a+rX", folder]);
  const log = join(folder, "log");
  const program = startProgram({
    command: "unshare",
    args: [
      "--mount",
      "sh",
      "-c",
      `mount --bind "${IMAGE}" "${image}" && mount --bind "${process.execPath}" "${node}" && mount -t tmpfs none "${CHECKOUT}" && cd / && exec "${node}" "${image}/server/supervisor/main.ts"`,
    ],
    cwd: "/",
    env,
    logFile: log,
    workspace,
  });
  try {
    const get = (path: string) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(60_000) });
    await waitUntil(
      "the site serves",
      60_000,
      async () => (await get("/healthz")).status,
      (status) => status === 200,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${readLog(log, 3_000)}`);
    });
    const home = await (await get("/")).text();
    expect(home).toContain("</html>");
    const [, style] = /href="(\/_next\/static\/[^"]+\.css[^"]*)"/.exec(home)!;
    const [, post] = /href="(\/blog\/[^"/.#?]+)"/.exec(await (await get("/blog")).text())!;
    const [, picture] = /(\/_img\/[\w.-]+)/.exec(await (await get(post!)).text()) ?? [];
    // Posts require the compile worker, fonts and sharp. A login requires the database and an
    // email.
    for (const path of [
      style!,
      post!,
      `${post}.md`,
      `${post}/social.png`,
      "/feed.xml",
      "/login",
      "/teams",
      "/icon.svg",
      ...(picture ? [picture] : []),
    ])
      expect([path, (await get(path)).status]).toEqual([path, 200]);
    expect(readLog(log, 100_000)).not.toMatch(/MODULE_NOT_FOUND|ENOENT|Cannot find/);
    expect(await program.stop(20_000)).toBe(0);
  } finally {
    await program.kill();
    await workspace.remove({ keep: false });
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a site on a plain file joins replication, leaves it, and comes back by the runbook, with its data", async ({
  cluster,
}) => {
  test.skip(!process.env.SOAK_RUNBOOKS, "SOAK_RUNBOOKS=1 runs this long test.");
  test.setTimeout(300_000);
  const nodes = [...cluster.nodes.values()];
  const first = nodes[0]!;
  const fly = new FlyCommand(cluster, (url) => url);
  const runPage = (heading: string, key = "litefs/rehearsal") =>
    fly.run(readRunbook("join-and-leave-replication.md", heading), {
      NODE: first.name,
      KEY: key,
      OTHERS: "dfw-2 ams-1",
    });
  await Promise.all(nodes.map((node) => node.stop()));
  const kept = nodes.map((node) => keepData(node));
  const plain = join(first.dataDir, "lectern.db");
  const marks = (file: string): unknown[] => {
    const db = new Database(file, { readonly: true });
    try {
      return db.prepare("SELECT text FROM mark ORDER BY text").pluck().all();
    } finally {
      db.close();
    }
  };
  const mark = (file: string, text: string) => {
    const db = new Database(file);
    db.exec("CREATE TABLE IF NOT EXISTS mark (text TEXT NOT NULL)");
    db.prepare("INSERT INTO mark VALUES (?)").run(text);
    db.close();
  };
  try {
    // Runs on a plain file.
    first.start({ REPLICATION: "off" });
    await first.waitUntilReady();
    mark(plain, "before");

    await runPage("Start it as the first node");
    expect(existsSync(plain)).toBe(false);
    expect(existsSync(`${plain}.imported`)).toBe(true);
    await runPage("Add the other nodes");
    await cluster.waitUntilReady();
    await cluster.waitUntilInSync();
    for (const node of nodes.filter((each) => each.isRunning()))
      expect([node.name, marks(node.databaseFile)]).toEqual([node.name, ["before"]]);
    await runPage("Delete the plain file");
    expect(existsSync(`${plain}.imported`)).toBe(false);
    mark((await cluster.waitForPrimary()).databaseFile, "replicated");
    await cluster.waitUntilInSync();

    await runPage("Stop the other nodes");
    expect(await cluster.waitForPrimary()).toBe(first);
    await runPage("Export the data");
    expect((await fetch(`${first.url}/blog`)).status).toBe(200);
    expect(marks(plain)).toEqual(["before", "replicated"]);

    // A node without its data must not start an empty site.
    await first.stop();
    renameSync(plain, `${plain}.away`);
    first.start({ REPLICATION: "off" });
    await waitUntil(
      "it refuses",
      20_000,
      () => first.isRunning(),
      (is) => !is,
    );
    expect(first.log(2_000)).toContain("join-and-leave-replication.md");
    renameSync(`${plain}.away`, plain);
    first.start({ REPLICATION: "off" });
    await first.waitUntilReady();

    await runPage("Remove the rest of the cluster");
    expect(existsSync(join(first.dataDir, "litefs"))).toBe(false);
    await runPage("Start it as the first node", "litefs/rehearsal-2");
    expect(await cluster.waitForPrimary()).toBe(first);
    expect(marks(first.databaseFile)).toEqual(["before", "replicated"]);
  } finally {
    await Promise.all(nodes.map((node) => node.kill()));
    for (const putBack of kept) putBack();
    fly.close();
  }
});

/** Moves a node's data away. Returns the function that moves it back. */
function keepData(node: ClusterNode): () => void {
  const away = join(dirname(node.dataDir), "data.away");
  mkdirSync(away);
  for (const name of readdirSync(node.dataDir))
    renameSync(join(node.dataDir, name), join(away, name));
  return () => {
    node.deleteData();
    for (const name of readdirSync(away)) renameSync(join(away, name), join(node.dataDir, name));
    rmSync(away, { recursive: true });
  };
}
