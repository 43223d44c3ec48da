// Starts a cluster as the site under test of the browser tests (playwright.members.config.ts),
// reached through the edge in ams. A control server sets the clocks of all nodes and serves the
// emails, the database files and the faults.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { seedCache } from "#tests/support/shared-cache.ts";
import { startSmtpServer } from "#tests/support/smtp-server.ts";
import type { ClusterDatabaseFiles } from "#tests/support/e2e/site-database.ts";
import {
  CLUSTER_PORT,
  CONTROL_PORT,
  LEGACY_SITE_ENV,
  PORT,
  SECRET,
  SMTP_PORT,
} from "#tests/support/e2e/site-under-test.ts";
import { type Cluster, startCluster } from "#cli/cluster/cluster.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";

const NODE_CONTROL_PORT = 8081;
const REPLICA = "ams-1";

const smtp = await startSmtpServer({ port: SMTP_PORT });
const controlModule = resolve(import.meta.dirname, "..", "e2e", "control-server.ts");
const cluster: Cluster = await startCluster({
  imageDir: process.env.CLUSTER_IMAGE ?? join(".data", "image"),
  regions: ["dfw", "ams"],
  port: CLUSTER_PORT,
  beforeStart: seedCache,
  env: {
    SITE_URL: `http://localhost:${PORT}`,
    SESSION_SECRET: SECRET,
    ...LEGACY_SITE_ENV,
    LOG_LEVEL: process.env.LOG_LEVEL ?? "warn",
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    SMTP_URL: smtp.url,
    SITE_CONFIG: resolve("tests/fixtures/site.config.ts"),
    SITE_UNDER_TEST: "cluster",
    CONTROL_PORT: String(NODE_CONTROL_PORT),
    NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${controlModule}`,
  },
  // Same as the image's command, with the node's address.
  command: ({ HOST }) => [
    "env",
    `CONTROL_HOST=${HOST}`,
    process.execPath,
    "server/supervisor/main.ts",
  ],
});

async function setClocks(offsetMs: string): Promise<void> {
  for (const node of cluster.nodes.values()) {
    const response = await fetch(
      `http://${new URL(node.url).hostname}:${NODE_CONTROL_PORT}/clock?offsetMs=${offsetMs}`,
      { signal: AbortSignal.timeout(10_000) },
    );
    if (!response.ok) throw new Error(`${node.name} did not set its clock: ${response.status}`);
  }
}

async function findDatabaseFiles(): Promise<ClusterDatabaseFiles> {
  const primary = await cluster.waitForPrimary();
  return { primary: primary.databaseFile, replica: cluster.getNode(REPLICA).databaseFile };
}

const edge = cluster.edges.get("ams")!;
const readOffsets = new Map<ClusterNode, number>();
let seenEvents = 0;

/** Returns the faults since the last call. A replay is not a fault. */
function listNewFaults(): string[] {
  // Leaving a page aborts its requests, which is not a fault.
  const events = edge
    .listEvents()
    .filter(({ kind, detail }) => kind !== "replay" && !detail.includes("was cut off"));
  const faults = events
    .slice(seenEvents)
    .map(({ kind, method, path, detail }) => `edge: ${kind} ${method} ${path} ${detail}`);
  seenEvents = events.length;
  for (const node of cluster.nodes.values()) {
    const file = join(node.folder, "log");
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const lines = text.slice(readOffsets.get(node) ?? 0).split("\n");
    readOffsets.set(node, text.length);
    for (const line of lines)
      // A busy machine may pause Consul for two seconds, which no writer notices.
      if (
        /⨯|"level":"error"|^\s*\w*Error\b/.test(line) &&
        !line.includes('"supervisor.consul_unreachable"')
      )
        faults.push(`${node.name}: ${line.slice(0, 1_000)}`);
  }
  return faults;
}

listNewFaults(); // skips what a starting cluster logs

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://control");
  const json = (value: unknown) =>
    response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  const answer = async () => {
    switch (pathname) {
      case "/clock":
        await setClocks(searchParams.get("offsetMs") ?? "0");
        return response.end("ok");
      case "/emails": {
        const to = searchParams.get("to")?.toLowerCase();
        return json(smtp.emails.filter((email) => !to || email.to.includes(to)));
      }
      case "/database-files":
        return json(await findDatabaseFiles());
      case "/faults":
        return json(listNewFaults());
      case "/counts":
        return json(edge.counts);
      default: {
        const { ok } = await fetch(`http://localhost:${PORT}/blog`, {
          signal: AbortSignal.timeout(30_000),
        });
        return response.writeHead(ok ? 200 : 503).end();
      }
    }
  };
  answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
}).listen(CONTROL_PORT, "127.0.0.1");

let isStopping = false;
function stopAll(): void {
  if (isStopping) return;
  isStopping = true;
  server.close();
  void Promise.all([cluster.stop(), smtp.close()]).finally(() => process.exit(0));
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stopAll);
// Playwright may be killed before it can stop this process.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && stopAll(), 1_000).unref();
