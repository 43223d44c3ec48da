import { defineConfig, devices } from "@playwright/test";
import { CONTROL_PORT, PORT } from "./e2e/ports.ts";

const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

export default defineConfig({
  testDir: "e2e",
  testIgnore: "cluster/**",
  outputDir: ".data/test-results",
  timeout: 30_000,
  fullyParallel: false,
  // One site, one database, as a reader meets it; two cores.
  workers: 1,
  retries: 0,
  forbidOnly: !!process.env.CI,
  use: {
    ...devices["Desktop Chrome"],
    baseURL: `http://localhost:${PORT}`,
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
      args: [...asRoot, "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    },
  },
  webServer: {
    command: "node e2e/server.ts",
    url: `http://127.0.0.1:${CONTROL_PORT}/ready`,
    timeout: 60_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 },
    stdout: "ignore",
    stderr: "pipe",
  },
});
