import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const LOCK = pathToFileURL("scripts/tasks/setup-lock.mjs").href;
let dir = "";
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "lectern-lock-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Starts a process that holds the lock while it appends to a log. */
function startSetup(
  name: string,
  work = "await new Promise((done) => setTimeout(done, 100))",
  before = "",
) {
  const log = JSON.stringify(join(dir, "log"));
  const code = `${before}
import { appendFileSync } from "node:fs";
import { withSetupLock } from ${JSON.stringify(LOCK)};
await withSetupLock(async () => {
  appendFileSync(${log}, "${name} ");
  ${work};
  appendFileSync(${log}, "${name} ");
}, { dir: ${JSON.stringify(dir)}, waitMs: 30_000 });`;
  return spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
}
const end = async (child: ChildProcess) => ((await once(child, "exit")) as [number])[0];

test("commands that start together set up one after the other", async () => {
  const codes = await Promise.all(["a", "b", "c"].map((name) => end(startSetup(name))));
  expect(codes).toEqual([0, 0, 0]);
  expect(readFileSync(join(dir, "log"), "utf8")).toMatch(/^(\w) \1 (\w) \2 (\w) \3 $/);
});

test("a lock whose process was killed is free", async () => {
  const killed = startSetup("a", `process.kill(process.pid, "SIGKILL")`);
  await end(killed);
  expect(readFileSync(join(dir, "setup.lock"), "utf8")).toBe(String(killed.pid));
  expect(await end(startSetup("b"))).toBe(0);
});

test("a command that is slow to remove a stale lock does not remove the next command's lock", async () => {
  await end(startSetup("a", `process.kill(process.pid, "SIGKILL")`));
  const paused = join(dir, "paused");
  // Pauses after it finds the lock stale and before it removes it, until another command holds it.
  const pause = `import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const { rmSync } = fs;
fs.rmSync = (...args) => {
  fs.rmSync = rmSync;
  syncBuiltinESMExports();
  fs.writeFileSync(${JSON.stringify(paused)}, "");
  const endMs = Date.now() + 500;
  while (Date.now() < endMs && !fs.readFileSync(${JSON.stringify(join(dir, "log"))}, "utf8").includes("c"));
  rmSync(...args);
};
syncBuiltinESMExports();`;
  const slow = end(startSetup("b", undefined, pause));
  await expect.poll(() => existsSync(paused), { timeout: 20_000 }).toBe(true);
  const hold = "await new Promise((done) => setTimeout(done, 400))";
  expect(await Promise.all([slow, end(startSetup("c", hold))])).toEqual([0, 0]);
  expect(readFileSync(join(dir, "log"), "utf8")).toMatch(/^a (\w) \1 (\w) \2 $/);
});

test("a lock that is held for too long is an error that names the process", async () => {
  writeFileSync(join(dir, "setup.lock"), String(process.pid));
  const { withSetupLock } = (await import(LOCK)) as {
    withSetupLock: (work: () => void, options: object) => Promise<void>;
  };
  await expect(withSetupLock(() => {}, { dir, waitMs: 0 })).rejects.toThrow(String(process.pid));
});
