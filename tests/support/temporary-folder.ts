// Chooses where unit tests put their files: in memory if possible, because creating databases on
// disk takes most of the tests' time.

import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import { freemem, tmpdir } from "node:os";

const MEMORY_FOLDER = "/dev/shm";
/** Twice what two PostgreSQL servers and their databases need. */
const MIN_FREE_BYTES = 4 * 1024 ** 3;

/**
 * Returns /dev/shm if it has enough space and allows programs to run, otherwise the system's
 * temporary folder.
 */
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
    // Not Linux.
  }
  return tmpdir();
}
