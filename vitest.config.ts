import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { chooseTemporaryFolder } from "./tests/support/temporary-folder.ts";

const TEST_FILES = "{lib,components,app,server,cli,tests,scripts,bench}/**/*.test.{ts,tsx}";

/**
 * Matches tests that mock modules or timers, change the process, start workers, or depend on state
 * that a whole process shares.
 */
const NEEDS_OWN_PROCESS =
  /vi\.mock|useFakeTimers|process\.(?!cwd|pid|execPath|getuid|platform|\w*[cC]puUsage|memoryUsage|std(out|err), "write"|env\.\w+\b(?! =)|env[,) ])|globalThis|closeCompiler|createCompiler|workerPool|singleton|limiter|metric|OpenTelemetry/i;

/** One folder per run, which global-setup.ts creates and removes. */
const folder = join(chooseTemporaryFolder(), `lectern-unit-${process.pid}`);

const files = globSync(TEST_FILES);
/** As patterns: folders such as [slug] have special characters. */
const isolated = files
  .filter((file) => NEEDS_OWN_PROCESS.test(readFileSync(file, "utf8")))
  .map((file) => file.replace(/[()[\]{}]/g, "\\$&"));

export default defineConfig({
  test: {
    environment: "node",
    setupFiles: ["tests/support/setup.ts"],
    globalSetup: ["tests/support/global-setup.ts"],
    // Processes, not threads: tests end workers and set environment variables.
    pool: "forks",
    // By default, V8's young generation starts small, and garbage is collected often until it grows.
    execArgv: ["--min-semi-space-size=16"],
    testTimeout: 90_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 120_000,
    env: {
      TMPDIR: folder,
      POSTGRES_TEMPLATE: join(folder, "postgres-template"),
      // Processes and workers that tests start load the same modules repeatedly.
      NODE_COMPILE_CACHE: resolve(".data/compile-cache"),
    },
    // Starting a process and loading the setup takes longer than most files, so files share one where they can.
    projects: [
      {
        extends: true,
        test: { name: "isolated", include: isolated },
      },
      {
        extends: true,
        test: { name: "shared", include: [TEST_FILES], exclude: isolated, isolate: false },
      },
    ],
  },
});
