// Installs Ghost from npm as its own command does, and publishes the article with it.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runQuietly } from "#bench/support/install-packages.ts";
import { PEERS_DIR } from "./folders.ts";
import { type PeerProcess, startPeer } from "./start-peer.ts";

const VERSION = "6.65.0";
const DIR = join(PEERS_DIR, "ghost");
const PACKAGE_DIR = join(DIR, "package");
const MAX_TRIES = 5;
const OWNER = { name: "Owner", email: "owner@example.test", password: "only for benchmarks 1" };

/** Installs Ghost with the lockfile in its package, unless this version is installed. */
export function installGhost(): void {
  const stamp = join(DIR, "installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === VERSION) return;
  console.log("Preparing ghost");
  rmSync(DIR, { recursive: true, force: true });
  mkdirSync(DIR, { recursive: true });
  runQuietly("npm", ["pack", `ghost@${VERSION}`], { cwd: DIR });
  runQuietly("tar", ["xzf", readdirSync(DIR).find((file) => file.endsWith(".tgz"))!], { cwd: DIR });
  const { packageManager } = JSON.parse(
    readFileSync(join(PACKAGE_DIR, "package.json"), "utf8"),
  ) as { packageManager: string };
  const pnpm = packageManager.split("+")[0]!;
  // Of the packages that are compiled, the pages need only SQLite.
  runQuietly("npx", ["--yes", pnpm, "install", "--prod", "--frozen-lockfile", "--ignore-scripts"], {
    cwd: PACKAGE_DIR,
    env: { CI: "true" },
  });
  replaceSqlite();
  writeFileSync(stamp, VERSION);
}

/**
 * Gives Ghost this checkout's better-sqlite3, which needs no compiler. Its own version 12 crashes
 * in Node 24.19 and later: https://github.com/WiseLibs/better-sqlite3/issues/1515
 */
function replaceSqlite(): void {
  // pnpm links to one folder from everywhere.
  const dir = realpathSync(join(PACKAGE_DIR, "node_modules", "better-sqlite3"));
  rmSync(dir, { recursive: true });
  cpSync(join("node_modules", "better-sqlite3"), dir, { recursive: true });
}

/** Starts Ghost on a new SQLite database with the article at /`slug`/. */
export async function startGhost(
  port: number,
  article: { readonly slug: string; readonly html: string },
): Promise<PeerProcess> {
  const url = `http://127.0.0.1:${port}`;
  const database = join(DIR, "ghost.db");
  for (const end of ["", "-wal", "-shm"]) rmSync(database + end, { force: true });
  const config = {
    url,
    server: { host: "127.0.0.1", port },
    database: { client: "better-sqlite3", connection: { filename: database } },
    mail: { transport: "Direct" },
    logging: { level: "error", transports: ["stdout"] },
    process: "local",
    privacy: { useUpdateCheck: false, useGravatar: false, useRpcPing: false },
    security: { staffDeviceVerification: false },
    paths: { contentPath: join(PACKAGE_DIR, "content") },
  };
  writeFileSync(join(PACKAGE_DIR, "config.production.json"), JSON.stringify(config));
  const process = await startPeer({
    cwd: PACKAGE_DIR,
    entry: "index.js",
    port,
    readyPath: "/ghost/api/admin/site/",
  });
  try {
    await publish(url, article);
  } catch (error) {
    await process.stop();
    throw error;
  }
  return process;
}

async function publish(
  origin: string,
  { slug, html }: { readonly slug: string; readonly html: string },
): Promise<void> {
  const post = async (path: string, body: object, cookie = "") => {
    const response = await fetch(`${origin}/ghost/api/admin/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin, cookie },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    if (response.ok) return response;
    const text = await response.text();
    throw new Error(`Ghost: ${path}: ${response.status} ${text.slice(0, 500)}`);
  };
  await post("authentication/setup/", { setup: [{ ...OWNER, blogTitle: "Peer" }] });
  const { email: username, password } = OWNER;
  const posts = [{ title: slug, slug, html, status: "published" }];
  // For a moment after its setup, Ghost does not know its new owner's session.
  for (let tries = 1; ; tries++) {
    try {
      const { headers } = await post("session/", { username, password });
      const cookie = headers.getSetCookie()[0]!.split(";")[0];
      await post("posts/?source=html", { posts }, cookie);
      return;
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
      await sleep(1_000);
    }
  }
}
