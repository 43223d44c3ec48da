// Starts the site that bench/support/build-bench-site.ts built, on the caller's data and content.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { startSiteProcess } from "#tests/support/built-site.ts";
import { round } from "./measurements.ts";

export const BENCH_SITE_DIR = resolve(".data", "bench-site");
export const BENCH_SESSION_SECRET = "only-for-benchmarks-0123456789abcdef";

export interface BenchSite {
  readonly url: string;
  /** Returns the resident memory of the server in MB (Linux). */
  rssMb(): number;
  stop(): Promise<void>;
}

/** Starts the site on `port`. Resolves when /blog responds. */
export async function startBenchSite({
  port,
  dataDir,
  contentDir,
  env = {},
}: {
  port: number;
  dataDir: string;
  contentDir: string;
  env?: Record<string, string>;
}): Promise<BenchSite> {
  const site = await startSiteProcess({
    port,
    cwd: BENCH_SITE_DIR,
    readyPath: "/blog",
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
  });
  return {
    url: `http://127.0.0.1:${port}`,
    rssMb() {
      const status = readFileSync(`/proc/${site.child.pid}/status`, "utf8");
      return round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024, 0);
    },
    stop: site.stop,
  };
}
