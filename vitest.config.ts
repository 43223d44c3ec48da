import { defineConfig } from "vitest/config";

// Names the database template of this run, so that two runs at the same time do not share one.
process.env.LECTERN_TEST_RUN ??= String(process.pid);

export default defineConfig({
  test: {
    include: ["{lib,components,app,server,cli,tests,scripts}/**/*.test.{ts,tsx}"],
    exclude: ["node_modules/**", ".next/**", ".data/**"],
    environment: "node",
    setupFiles: ["tests/support/setup.ts"],
    globalSetup: ["tests/support/global-setup.ts"],
    // Processes, not threads: tests end workers and set environment variables.
    pool: "forks",
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
  },
});
