import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readOutput } from "#tests/support/read-output.ts";
import { readSettings } from "#server/settings.ts";
import { startBackupProcess } from "./backup-process.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "backup-"))));
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

test("each failure doubles the delay of the next start, unless the process ran for a while", async () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  mkdirSync(join(folder, "server", "backup"), { recursive: true });
  writeFileSync(join(folder, "server", "backup", "main.ts"), "process.exit(1);");
  const settings = readSettings({ DATA_DIR: folder }, folder);
  const backup = startBackupProcess(settings, { ...process.env, BACKUP_BUCKET: "bucket" });
  const delays: number[] = [];
  for (const runMs of [0, 0, 600_000, 0]) {
    vi.advanceTimersByTime(runMs);
    while (write.mock.calls.length <= delays.length) await new Promise(setImmediate);
    const line = String(write.mock.calls.at(-1)![0]);
    delays.push((JSON.parse(line) as { again_in_ms: number }).again_in_ms);
    vi.advanceTimersByTime(delays.at(-1)!);
  }
  await backup.stop(1_000);
  expect(delays).toEqual([2_000, 4_000, 2_000, 4_000]);
});

test("the process exits if its launcher was killed before it started", async () => {
  const run = `
    import { startBackupProcess } from ${JSON.stringify(join(import.meta.dirname, "backup-process.ts"))};
    import { readSettings } from ${JSON.stringify(resolve("server", "settings.ts"))};
    startBackupProcess(readSettings(process.env, ${JSON.stringify(resolve("."))}), process.env);
    process.kill(process.pid, "SIGKILL");
  `;
  writeFileSync(join(folder, "run.ts"), run);
  const launcher = spawn(process.execPath, [join(folder, "run.ts")], {
    env: {
      ...process.env,
      REPLICATION: "off",
      DATA_DIR: folder,
      DATABASE_FILE: join(folder, "lectern.db"),
      LOG_LEVEL: "info",
      BACKUP_BUCKET: "bucket",
      BACKUP_KEY: "k".repeat(32),
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1",
    },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  expect(await readOutput(launcher)).toContain("backup.started");
}, 30_000);
