import { defineConfig } from "@playwright/test";
import { chromiumOptions } from "./tests/support/e2e/chromium-options.ts";
import {
  CONTROL_PORT,
  FIRST_SITE,
  IS_CLUSTER,
  PORT,
  PORTS_PER_SITE,
} from "./tests/support/e2e/site-under-test.ts";

/** Each worker has its own site and database; the tests of a file share them. */
const WORKERS = IS_CLUSTER ? 1 : Number(process.env.E2E_WORKERS ?? 2);

export default defineConfig({
  testDir: "e2e",
  testIgnore: "cluster/**",
  outputDir: ".data/test-results",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  fullyParallel: false,
  workers: WORKERS,
  retries: 0,
  forbidOnly: !!process.env.CI,
  use: { ...chromiumOptions, baseURL: `http://localhost:${PORT}` },
  webServer: Array.from({ length: WORKERS }, (_, index) => ({
    command: "node tests/support/e2e/server.ts",
    env: { SITE_INDEX: String(FIRST_SITE + index) },
    url: `http://127.0.0.1:${CONTROL_PORT + PORTS_PER_SITE * index}/ready`,
    timeout: 60_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: "SIGTERM" as const, timeout: 5_000 },
    stdout: "ignore" as const,
    stderr: "pipe" as const,
  })),
});
