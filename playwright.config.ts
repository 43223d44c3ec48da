import { defineConfig } from "@playwright/test";
import { chromiumOptions } from "./tests/support/e2e/chromium-options.ts";
import { CONTROL_PORT, PORT } from "./tests/support/e2e/site-under-test.ts";

export default defineConfig({
  testDir: "e2e",
  testIgnore: "cluster/**",
  outputDir: ".data/test-results",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  fullyParallel: false,
  // All tests share one site and one database.
  workers: 1,
  retries: 0,
  forbidOnly: !!process.env.CI,
  use: { ...chromiumOptions, baseURL: `http://localhost:${PORT}` },
  webServer: {
    command: "node tests/support/e2e/server.ts",
    url: `http://127.0.0.1:${CONTROL_PORT}/ready`,
    timeout: 60_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 },
    stdout: "ignore",
    stderr: "pipe",
  },
});
