// The mount that a LiteFS which died leaves behind: every access to it fails until it is taken away.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Whether something is mounted at `dir` itself. */
export function isMounted(dir: string): boolean {
  // Spaces stand as \040 in that file.
  const escaped = dir.replaceAll("\\", "\\134").replaceAll(" ", "\\040");
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === escaped);
}

/** Takes away what is mounted at `dir`, also while programs still use it. Returns whether there was something. Throws when it can't. */
export function unmount(dir: string): boolean {
  if (!isMounted(dir)) return false;
  const tries = [
    ["umount", "-l", dir],
    ["fusermount3", "-uz", dir],
    ["fusermount", "-uz", dir],
  ] as const;
  for (const [program, ...args] of tries) {
    spawnSync(program, args, { stdio: "ignore", timeout: 5_000 });
    if (!isMounted(dir)) return true;
  }
  throw new Error(`${dir} is still mounted by a LiteFS that is gone, and can't be unmounted`);
}
