import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{lib,components,app,tests,scripts,e2e/cluster}/**/*.test.{ts,tsx}"],
    exclude: ["node_modules/**", ".next/**", ".data/**"],
    environment: "node",
    setupFiles: ["tests/setup.ts"],
    globalSetup: ["tests/global-setup.ts"],
    // Processes, not threads: tests end workers and set environment variables.
    pool: "forks",
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
  },
});
