// The production build as one process on a plain file: with a data folder and a port of its own, and no configuration but what it is given.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { SERVER_FLAGS } from "#server/server-flags.mjs";
import { findFreePort } from "./free-port.ts";
import { envSchema } from "#lib/core/env.ts";
import { applyMigrations } from "#lib/db/migrations.ts";

export interface BuiltSite {
  readonly url: string;
  readonly databaseFile: string;
  /** Everything the process printed since it started. */
  readOutput(): string;
  stop(): Promise<void>;
}

const ROOT = join(import.meta.dirname, "..", "..");
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 2_000;
const POLL_MS = 100;
/** Empty counts as not set, and keeps Next from reading it out of the owner's .env. */
const EMPTY_ENV = Object.fromEntries(Object.keys(envSchema.shape).map((name) => [name, ""]));

/**
 * Starts it on the database in `folder`, which is made where there is none; resolves when it is ready. `npm run e2e` and `npm run migrate:demo`
 * make the build. Rejects after a minute, when `signal` aborts, or when the process ends before, with what it said last.
 */
export async function startBuiltSite({
  folder,
  env = {},
  signal,
}: {
  folder: string;
  env?: Record<string, string>;
  signal?: AbortSignal;
}): Promise<BuiltSite> {
  const databaseFile = join(folder, "lectern.db");
  await applyMigrations(databaseFile, join(ROOT, "prisma", "migrations"));
  const port = await findFreePort();
  signal?.throwIfAborted();
  const url = `http://localhost:${port}`;
  const own = {
    NODE_ENV: "production",
    NEXT_TELEMETRY_DISABLED: "1",
    NO_COLOR: "1",
    DATA_DIR: folder,
    SITE_URL: url,
    LOG_LEVEL: "warn",
  };
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...SERVER_FLAGS,
      join("node_modules", "next", "dist", "bin", "next"),
      "start",
      "-p",
      String(port),
    ],
    {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...EMPTY_ENV,
        ...own,
        ...env,
      } as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data: Buffer) => (printed += data.toString()));
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const killNow = () => void child.kill("SIGKILL");
  process.on("exit", killNow);

  const stop = async () => {
    if (isAlive()) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const hard = setTimeout(killNow, STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(hard);
    }
    process.off("exit", killNow);
  };

  const untilMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const isReady = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return { url, databaseFile, readOutput: () => printed, stop };
    if (signal?.aborted || !isAlive() || Date.now() > untilMs) {
      await stop();
      signal?.throwIfAborted();
      throw new Error(`The site did not start:\n${printed.slice(-3_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
