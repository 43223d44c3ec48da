// One run of LiteFS, from its start to the end of everything that it started.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

export interface LitefsExit {
  /** LiteFS' exit code, which is the launcher's where that ended first; 1 when a signal killed it. */
  readonly code: number;
  /** corrupt: the data on disk contradicts itself, and LiteFS will not open it again. full: there is no room for more. */
  readonly reason: "corrupt" | "full" | "other";
  /** The line that said so. */
  readonly line: string | null;
}

/** How LiteFS says that the store contradicts itself (store.go, db.go of v0.5.14), at start and while it applies what it got. */
const CORRUPT_LINE =
  /does not match LTX post-apply checksum|cannot open store: .*(recover ltx|init database file|sync wal to ltx|max ltx file|checksum|cluster id)/;
/** The store is well, the disk is not: nothing to put aside. */
const DISK_FULL_LINE = /no space left on device|disk quota exceeded/;
const ENVIRONMENT_FAULT_LINE =
  /no space left on device|disk quota exceeded|permission denied|read-only file system|too many open files|cannot allocate memory/;

/** Fewer than the whole: LiteFS needs some for itself after the launcher has ended. */
const RESERVE_MS = 2_000;
/** What LiteFS started lives for at most this long after it (the launcher looks twice a second). */
const ORPHAN_TIMEOUT_MS = 10_000;

/** Starts LiteFS and resolves when it has ended and nothing that it started runs. `stop` ends it within the kill timeout. */
export function runLitefs(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
): Promise<LitefsExit> {
  return new Promise((resolve, reject) => {
    // Its standard output goes straight through, as the site's log does; what it says itself is on the other one.
    const child = spawn(
      settings.litefs.program,
      ["mount", "-config", join(settings.root, "litefs.yml")],
      { cwd: settings.root, env, stdio: ["ignore", "inherit", "pipe"] },
    );
    let found: { reason: "corrupt" | "full"; line: string } | null = null;
    const secret = new URL(settings.lease.consulUrl).password;
    const print = suppressRepeatedLines((line) => process.stderr.write(`${line}\n`));
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (CORRUPT_LINE.test(line) && !ENVIRONMENT_FAULT_LINE.test(line))
        found = { reason: "corrupt", line };
      else if (DISK_FULL_LINE.test(line)) found ??= { reason: "full", line };
      // LiteFS prints Consul's address as it is, with the token in it.
      print(secret ? line.replaceAll(secret, "…") : line);
    });
    let kill: NodeJS.Timeout | undefined;
    const end = () => {
      child.kill("SIGTERM");
      kill = setTimeout(() => {
        logEvent("error", "boot.killed", { after_ms: settings.killTimeoutMs - RESERVE_MS });
        child.kill("SIGKILL");
      }, settings.killTimeoutMs - RESERVE_MS);
    };
    stop.addEventListener("abort", end, { once: true });
    if (stop.aborted) end();
    child.once("error", (error) =>
      reject(new Error(`LiteFS could not be started: ${error.message}`)),
    );
    let orphans: NodeJS.Timeout | undefined;
    const finish = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(kill);
      clearTimeout(orphans);
      stop.removeEventListener("abort", end);
      resolve({
        code: code ?? (signal ? 1 : 0),
        reason: found?.reason ?? "other",
        line: found?.line ?? null,
      });
    };
    // "close" comes when nobody holds its output any more: the launcher and the site have it too.
    child.once(
      "exit",
      (code, signal) => (orphans = setTimeout(() => finish(code, signal), ORPHAN_TIMEOUT_MS)),
    );
    child.once("close", finish);
  });
}

/** What LiteFS says again at each look for a primary, several times a second. */
const REPEATED_LINE =
  /retrying|existing primary found|cannot become primary|cannot release consul key/;

/** Hands lines on; chatter that was handed on less than `againMs` ago is counted instead, and the count said with the next of it. */
export function suppressRepeatedLines(
  print: (line: string) => void,
  againMs = 60_000,
): (line: string) => void {
  const said = new Map<string, { atMs: number; swallowed: number }>();
  return (line) => {
    if (!REPEATED_LINE.test(line)) return print(line);
    const nowMs = performance.now();
    const key = line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "");
    const before = said.get(key);
    if (before && nowMs - before.atMs < againMs) {
      before.swallowed += 1;
      return;
    }
    if (said.size > 100) said.clear();
    said.set(key, { atMs: nowMs, swallowed: 0 });
    print(
      before?.swallowed ? `${line} (and ${before.swallowed} times since it was said last)` : line,
    );
  };
}
