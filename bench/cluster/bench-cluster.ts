// Starts the measured sites: a cluster and a site on a plain file, with the same image, data and
// settings.

import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import { type Cluster, startCluster } from "#cli/cluster/cluster.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { findMarkedProcesses } from "#cli/cluster/process-sessions.ts";
import { startPlainFileSite } from "#tests/support/cluster/plain-file-site.ts";
import { type Environment, readLog } from "#cli/cluster/program.ts";
import { findTools } from "#cli/cluster/tools/find-tools.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { type Workspace, createWorkspace } from "#cli/cluster/workspace.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { writeArticles } from "#bench/support/articles.ts";
import { createBenchDatabase } from "#bench/support/bench-database.ts";
import { BENCH_SESSION_SECRET } from "#bench/support/bench-site.ts";

export const BENCH_DIR = join(".data", "bench-cluster");
export const IMAGE_DIR = resolve(".data", "bench-image");
/** The article with about 1,100 words. */
export const ARTICLE_SLUG = "medium";
/** A table for rows whose arrival is timed. */
export const MARKS_TABLE = "BenchMark";
const READ_COUNT = 100_000;

export interface BenchData {
  readonly file: string;
  readonly member: string;
  /** The Cookie header of a member. */
  readonly cookie: string;
}

/** Writes the articles and a database with 10,000 members, 100,000 reads and a session. */
export async function createBenchData(): Promise<BenchData> {
  rmSync(BENCH_DIR, { recursive: true, force: true });
  mkdirSync(BENCH_DIR, { recursive: true });
  overrideEnv({ SESSION_SECRET: BENCH_SESSION_SECRET, DATA_DIR: BENCH_DIR });
  const articles = writeArticles(join(BENCH_DIR, "content"));
  const file = resolve(BENCH_DIR, "lectern.db");
  const member = await createBenchDatabase(file, {
    reads: READ_COUNT,
    slugs: articles.map(({ slug }) => slug),
  });
  const db = new Database(file);
  db.exec(`CREATE TABLE "${MARKS_TABLE}" ("id" INTEGER PRIMARY KEY, "atMs" INTEGER NOT NULL)`);
  const { name, value } = await insertMemberSession(db, member, BENCH_SESSION_SECRET);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  return { file, member, cookie: `${name}=${value}` };
}

/** Returns the environment of every measured site, on LiteFS or not. */
const createSiteEnvironment = (): Environment => ({
  SESSION_SECRET: BENCH_SESSION_SECRET,
  TRUST_PROXY: "fly",
  CONTENT_DIR: resolve(BENCH_DIR, "content"),
  COMPILE_WORKERS: "1",
  LOG_LEVEL: "error",
  LOG_REQUESTS: "off",
  INSTANCE_BANNER: "off",
});

/** Starts a cluster with `data`. It stops with this process, or by calling `stop`. */
export async function startBenchCluster(
  data: BenchData,
  options: { regions: readonly string[]; latency?: boolean; env?: Environment },
): Promise<Cluster> {
  const { litefs } = await findTools();
  const cluster = await startCluster({
    ...options,
    imageDir: IMAGE_DIR,
    env: { ...createSiteEnvironment(), ...options.env },
  });
  const primary = await cluster.waitForPrimary();
  await promisify(execFile)(
    litefs,
    ["import", "-url", primary.litefsUrl, "-name", "lectern.db", data.file],
    { timeout: 60_000 },
  );
  await cluster.waitUntilInSync(60_000);
  for (const node of cluster.nodes.values()) await waitForArticle(node.url, data.cookie);
  return cluster;
}

/** Limits all processes of the node to one core. Linux only. */
export function runOnCore(node: ClusterNode, core: number): void {
  for (const pid of findMarkedProcesses("INSTANCE", node.name))
    execFileSync("taskset", ["-a", "-p", "-c", String(core), String(pid)], { stdio: "ignore" });
}

/** Starts the same image without LiteFS, on a copy of `data`. */
export async function startPlainBench(
  data: BenchData,
  workspace: Workspace,
): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = join(workspace.folder, "plain");
  mkdirSync(folder, { recursive: true });
  copyFileSync(data.file, join(folder, "lectern.db"));
  const { url, log, program } = await startPlainFileSite({
    imageDir: IMAGE_DIR,
    folder,
    workspace,
    env: {
      NODE_ENV: "production",
      DATABASE_FILE: join(folder, "lectern.db"),
      ...createSiteEnvironment(),
    },
  });
  await waitForArticle(url, data.cookie).catch((error: unknown) =>
    Promise.reject(new Error(`${(error as Error).message}\n${readLog(log, 1_500)}`)),
  );
  return { url, stop: async () => void (await program.stop(10_000)) };
}

/** Creates a workspace for programs next to the cluster. It ends with this process. */
export function createBenchWorkspace(): Workspace {
  const workspace = createWorkspace();
  process.once("exit", () => workspace.removeSync());
  return workspace;
}

/** Waits until both variants of the page are served, so that the article is compiled. */
async function waitForArticle(url: string, cookie: string): Promise<void> {
  for (const headers of [undefined, { cookie }]) {
    await waitUntil(
      `${url} has the article`,
      60_000,
      async () => {
        const response = await fetch(`${url}/blog/${ARTICLE_SLUG}`, {
          headers,
          signal: AbortSignal.timeout(20_000),
        });
        return { status: response.status, isComplete: (await response.text()).includes("</html>") };
      },
      ({ status, isComplete }) => status === 200 && isComplete,
    );
  }
}
