import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { readSettings } from "#server/settings.ts";
import { startBackupProcess } from "./backup-process.ts";

const folder = mkdtempSync(join(tmpdir(), "backup-"));
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
