// Unmounts what a dead LiteFS leaves behind: every access to it fails.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export function isMounted(dir: string): boolean {
  // That file writes a space as \040.
  const escaped = dir.replaceAll("\\", "\\134").replaceAll(" ", "\\040");
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === escaped);
}

/** Unmounts `dir`, also while programs use it. Returns whether something was mounted. Throws if it stays. */
export function unmount(dir: string): boolean {
  if (!isMounted(dir)) return false;
  const commands = [
    ["umount", "-l", dir],
    ["fusermount3", "-uz", dir],
    ["fusermount", "-uz", dir],
  ] as const;
  for (const [program, ...args] of commands) {
    spawnSync(program, args, { stdio: "ignore", timeout: 5_000 });
    if (!isMounted(dir)) return true;
  }
  throw new Error(`${dir} is still mounted by a LiteFS that is gone, and can't be unmounted`);
}
