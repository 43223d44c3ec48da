import { defineConfig } from "@playwright/test";
import { chromiumOptions } from "./tests/support/e2e/chromium-options.ts";

// The same site as a cluster of several instances: npm run test:cluster.
export default defineConfig({
  testDir: "e2e/cluster",
  testMatch: "**/*.spec.ts",
  outputDir: ".data/cluster-results",
  timeout: 120_000,
  fullyParallel: false,
  // One cluster, which the specs share and break one after the other.
  workers: 1,
  retries: 0,
  forbidOnly: !!process.env.CI,
  use: chromiumOptions,
});
