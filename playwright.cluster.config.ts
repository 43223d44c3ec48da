import { defineConfig } from "@playwright/test";
import { chromiumOptions } from "./tests/support/e2e/chromium-options.ts";

// Runs the tests of a cluster of several instances: npm run test:cluster.
export default defineConfig({
  testDir: "e2e/cluster",
  testMatch: "**/*.spec.ts",
  outputDir: ".data/cluster-results",
  timeout: 120_000,
  fullyParallel: false,
  // Each worker has its own cluster, which its specs share and break. With two clusters beside the other
  // tests, some specs miss the deadlines that they check.
  workers: Number(process.env.CLUSTER_WORKERS ?? 1),
  retries: 0,
  forbidOnly: !!process.env.CI,
  use: chromiumOptions,
});
