import { defineConfig } from "@playwright/test";
import { chromiumOptions } from "./tests/support/e2e/chromium-options.ts";

/** Specs that start a cluster with their own options, or no cluster. */
const OWN_CLUSTER = /(backup|entry-points|lease-service|telemetry|vps)\.spec\.ts$/;

// Runs the tests of a cluster of several instances: npm run test:cluster.
export default defineConfig({
  testDir: "e2e/cluster",
  // The specs that share a cluster run one after another, because different options would start a new one.
  projects: [
    { name: "own cluster", testMatch: OWN_CLUSTER },
    { name: "shared cluster", testMatch: "**/*.spec.ts", testIgnore: OWN_CLUSTER },
  ],
  outputDir: ".data/cluster-results",
  timeout: 120_000,
  expect: { timeout: 10_000 },
  fullyParallel: false,
  // Each worker has its own cluster, which its specs share and break. With two clusters alongside the other
  // tests, some specs miss the deadlines that they check.
  workers: Number(process.env.CLUSTER_WORKERS ?? 1),
  retries: 0,
  forbidOnly: !!process.env.CI,
  use: chromiumOptions,
});
