// Chooses where unit tests put their files: in memory if possible, since creating databases on a disk costs most of their time.

import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import { freemem, tmpdir } from "node:os";

const MEMORY_FOLDER = "/dev/shm";
/** Two PostgreSQL servers with their databases need about half of it. */
const MIN_FREE_BYTES = 4 * 1024 ** 3;

/** Returns Linux's file system in memory if it is large enough and can run programs, else the system's temporary folder. */
export function chooseTemporaryFolder(): string {
  try {
    const mount = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" "))
      .find(([, folder]) => folder === MEMORY_FOLDER);
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    accessSync(MEMORY_FOLDER, constants.W_OK);
    const isUsable = mount?.[2] === "tmpfs" && !mount[3]?.split(",").includes("noexec");
    if (isUsable && Math.min(bavail * bsize, freemem()) > MIN_FREE_BYTES) return MEMORY_FOLDER;
  } catch {
    // Another system.
  }
  return tmpdir();
}
