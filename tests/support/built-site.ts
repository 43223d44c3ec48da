// Starts the production build as one process on a plain database file.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SERVER_ENV, SERVER_FLAGS } from "#server/server-flags.mjs";
import { envSchema } from "#lib/core/env.ts";
import { applyMigrations } from "#lib/db/migrations.ts";
import { findFreePort } from "./free-port.ts";
import { seedCache } from "./shared-cache.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 100;
/** An empty variable counts as unset, and keeps Next from reading it from the owner's .env. */
const EMPTY_ENV = Object.fromEntries(Object.keys(envSchema.shape).map((name) => [name, ""]));

/** Returns Node's arguments that start the build on `port`, with `modules` imported first. */
export const siteArguments = (port: number, modules: readonly string[] = []): string[] => [
  ...SERVER_FLAGS,
  ...modules.flatMap((module) => ["--import", module]),
  join("server", "site.ts"),
  "--port",
  String(port),
];

export interface SiteProcess {
  readonly child: ChildProcess;
  isAlive(): boolean;
  /** Returns everything the process has printed. */
  readOutput(): string;
  /** Stops the process: SIGTERM, then SIGKILL after five seconds. */
  stop(): Promise<void>;
}

/**
 * Starts the build in `cwd`. Resolves when `readyPath` responds with 2xx. Rejects with the output
 * after 60 seconds, if the process exits, or if `signal` aborts. The process ends with this one.
 */
export async function startSiteProcess({
  port,
  env,
  cwd = ROOT,
  modules,
  readyPath = "/readyz",
  signal,
}: {
  port: number;
  env: NodeJS.ProcessEnv;
  cwd?: string;
  modules?: readonly string[];
  readyPath?: string;
  signal?: AbortSignal;
}): Promise<SiteProcess> {
  signal?.throwIfAborted();
  const child = spawn(process.execPath, siteArguments(port, modules), {
    cwd,
    env: { ...SERVER_ENV, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (output += data.toString()));
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const kill = () => void child.kill("SIGKILL");
  process.on("exit", kill);

  const stop = async () => {
    if (isAlive()) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(kill, STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    process.off("exit", kill);
  };

  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const isReady = await fetch(`http://127.0.0.1:${port}${readyPath}`, {
      signal: AbortSignal.timeout(10_000),
    }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return { child, isAlive, readOutput: () => output, stop };
    if (signal?.aborted || !isAlive() || Date.now() > deadlineMs) {
      await stop();
      signal?.throwIfAborted();
      throw new Error(`The site did not start:\n${output.slice(-3_000)}`);
    }
    await sleep(POLL_MS);
  }
}

export interface BuiltSite extends SiteProcess {
  readonly url: string;
  readonly databaseFile: string;
}

/**
 * Starts the build on the database in `folder`, which is created if missing. `env` is the whole
 * configuration.
 */
export async function startBuiltSite({
  folder,
  env = {},
  readyPath,
  signal,
}: {
  folder: string;
  env?: Record<string, string>;
  readyPath?: string;
  signal?: AbortSignal;
}): Promise<BuiltSite> {
  const databaseFile = join(folder, "lectern.db");
  await applyMigrations(databaseFile, join(ROOT, "prisma", "migrations"));
  seedCache(folder);
  const port = await findFreePort();
  const url = `http://localhost:${port}`;
  const site = await startSiteProcess({
    port,
    readyPath,
    signal,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ...EMPTY_ENV,
      PAGE_CACHE: process.env.PAGE_CACHE ?? "",
      NODE_ENV: "production",
      NEXT_TELEMETRY_DISABLED: "1",
      NO_COLOR: "1",
      DATA_DIR: folder,
      SITE_CONFIG: join(ROOT, "tests", "fixtures", "site.config.ts"),
      SITE_URL: url,
      LOG_LEVEL: "warn",
      ...env,
    },
  });
  return { ...site, url, databaseFile };
}
