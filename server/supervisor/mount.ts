// Unmounts the stale mount of a dead LiteFS, on which every access fails.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export function isMounted(dir: string): boolean {
  // /proc/self/mounts escapes a space as \040.
  const escaped = dir.replaceAll("\\", "\\134").replaceAll(" ", "\\040");
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === escaped);
}

/**
 * Unmounts `dir`, even if it is in use. Returns true if something was mounted. Throws if unmounting
 * fails.
 */
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
  throw new Error(`${dir} is a stale mount of a dead LiteFS and can't be unmounted`);
}
