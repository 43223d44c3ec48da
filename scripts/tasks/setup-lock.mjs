// Allows only one command at a time to install, generate and build in a checkout. The others wait.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Stop, say } from "./run.mjs";

const POLL_MS = 200;
/** Longer than an installation with a build on a slow machine. */
const WAIT_MS = 20 * 60_000;
/** Removing a stale lock takes milliseconds. */
const GUARD_MS = 10_000;

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Returns the process that holds the lock, or null if it has exited. */
function findHolder(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    // A file without a process id was only just created.
    return pid === 0 || isRunning(pid) ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Removes the lock of a process that has exited, and returns true. Returns false if another process
 * is removing it. Checks again first, because another process may have taken the lock.
 */
function removeStaleLock(file) {
  const guard = `${file}.removing`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    // A process that was killed while it held the guard left it behind.
    const { mtimeMs = Infinity } = statSync(guard, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > GUARD_MS) rmSync(guard, { recursive: true, force: true });
    return false;
  }
  try {
    if (findHolder(file) === null) rmSync(file, { force: true });
    return true;
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}

/**
 * Runs `work` while this process holds the lock in `dir`. Throws Stop if another process holds it
 * for twenty minutes. A lock whose process has exited counts as free.
 */
export async function withSetupLock(work, { dir = ".data", waitMs = WAIT_MS } = {}) {
  const file = join(dir, "setup.lock");
  mkdirSync(dir, { recursive: true });
  const untilMs = performance.now() + waitMs;
  for (let isWaiting = false; ; isWaiting = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = findHolder(file);
    if (holder === null) {
      if (!removeStaleLock(file)) await sleep(POLL_MS);
    } else if (performance.now() > untilMs)
      throw new Stop(
        `Process ${holder} is still setting up. If it hangs, stop it, then try again.`,
      );
    else {
      if (!isWaiting) say("waiting for another command that is setting up");
      await sleep(POLL_MS);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}
