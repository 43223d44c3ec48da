// Gives each unit test its own files and the real clock. An unexpected console.error fails the
// test.

import { afterEach, beforeEach, expect, vi } from "vitest";
import { setClock } from "#lib/core/clock.ts";
import { useFreshDatabase } from "./fresh-database.ts";
import { overrideEnv, restoreEnv } from "./override-env.ts";

// Files that share a process must not see each other's environment.
restoreEnv();
overrideEnv({
  LOG_LEVEL: process.env.LOG_LEVEL ?? "error",
  SITE_CONFIG: "tests/fixtures/site.config.ts",
  SESSION_SECRET: "unit-tests-unit-tests-unit-tests-unit",
});

let cleanUp: () => Promise<void>;

beforeEach(() => {
  ({ cleanUp } = useFreshDatabase());
  vi.spyOn(console, "error");
});

afterEach(async () => {
  setClock(null);
  await cleanUp();
  const calls = vi.mocked(console.error).mock.calls;
  vi.restoreAllMocks();
  expect(calls, "console.error was called").toEqual([]);
});
