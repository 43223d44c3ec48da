// Starts the site that bench/support/build-bench-site.ts built, on data and content of the caller's.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { SERVER_FLAGS } from "#server/server-flags.mjs";
import { round } from "./measurements.ts";

export const BENCH_SITE_DIR = resolve(".data", "bench-site");
export const BENCH_SESSION_SECRET = "only-for-benchmarks-0123456789abcdef";

export interface BenchSite {
  readonly url: string;
  /** Resident memory of the server in MB (Linux). */
  rssMb(): number;
  stop(): Promise<void>;
}

/** Starts the site on `port`; resolves when `path` answers. */
export async function startBenchSite({
  port,
  dataDir,
  contentDir,
  path = "/blog",
  env = {},
}: {
  port: number;
  dataDir: string;
  contentDir: string;
  path?: string;
  env?: Record<string, string>;
}): Promise<BenchSite> {
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    process.execPath,
    [...SERVER_FLAGS, "server/site.ts", "--port", String(port)],
    {
      cwd: BENCH_SITE_DIR,
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...process.env,
        NODE_ENV: "production",
        DATA_DIR: resolve(dataDir),
        CONTENT_DIR: resolve(contentDir),
        SESSION_SECRET: BENCH_SESSION_SECRET,
        LOG_LEVEL: "error",
        SITE_URL: `http://localhost:${port}`,
        ...env,
      },
    },
  );
  // A measurement that fails leaves no server behind.
  process.once("exit", () => child.kill("SIGKILL"));
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const untilMs = Date.now() + 60_000;
  for (;;) {
    const ok = await fetch(url + path).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) break;
    if (Date.now() > untilMs || child.exitCode !== null)
      throw new Error(`The site did not answer at ${url}${path}.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    url,
    rssMb: () =>
      round(
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) /
          1024,
        0,
      ),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
