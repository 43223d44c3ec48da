// Shifts the clock of one node of a cluster while it runs, through libfaketime (Debian: apt install
// libfaketime). Consul and LiteFS keep the machine's clock, because Go programs don't use the C library.

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterNode } from "#cli/cluster/node.ts";

const LIBRARY_DIR = "/usr/lib";
const LIBRARY = existsSync(LIBRARY_DIR)
  ? readdirSync(LIBRARY_DIR)
      .map((name) => join(LIBRARY_DIR, name, "faketime", "libfaketimeMT.so.1"))
      .find((file) => existsSync(file))
  : undefined;

/** False if libfaketime is not installed. */
export const canShiftClocks = LIBRARY !== undefined;

const clockFile = (dataDir: string) => join(dataDir, "clock");

/** Returns the command of a node whose clock can be shifted. */
export function commandWithClock(env: Readonly<Record<string, string | undefined>>): string[] {
  const node = [process.execPath, "server/supervisor/main.ts"];
  if (!LIBRARY) return node;
  const file = clockFile(env.DATA_DIR!);
  writeFileSync(file, "+0");
  return [
    "env",
    `LD_PRELOAD=${LIBRARY}`,
    `FAKETIME_TIMESTAMP_FILE=${file}`,
    // It reads the file once a second. Timers use the monotonic clock, which stays as it is.
    "FAKETIME_CACHE_DURATION=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ...node,
  ];
}

/** Shifts the node's clock by `seconds` against the machine's. Returns the function that sets it back. */
export function shiftClock({ dataDir }: ClusterNode, seconds: number): () => void {
  const write = (offset: number) =>
    writeFileSync(clockFile(dataDir), `${offset < 0 ? "" : "+"}${offset}`);
  write(seconds);
  return () => write(0);
}
