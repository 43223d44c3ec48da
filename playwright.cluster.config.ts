import { defineConfig, devices } from "@playwright/test";

const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

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
  use: {
    ...devices["Desktop Chrome"],
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
      args: [...asRoot, "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    },
  },
});
