// Runs LiteFS until it and all its children have exited.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { requestInternal } from "#lib/core/internal-request.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

export interface LitefsExit {
  /** LiteFS's exit code, or the launcher's if that exited first; 1 if a signal killed LiteFS. */
  readonly code: number;
  /** "corrupt" if LiteFS can't open the store again; "full" if the disk is full. */
  readonly reason: "corrupt" | "full" | "other";
  /** LiteFS's log line with the reason. */
  readonly line: string | null;
}

/** LiteFS's messages about a corrupt store (store.go, db.go of v0.5.14). */
const CORRUPT_LINE =
  /does not match LTX post-apply checksum|cannot open store: .*(recover ltx|init database file|sync wal to ltx|max ltx file|checksum|cluster id)/;
/** The store is intact, so it is not quarantined. */
const DISK_FULL_LINE = /no space left on device|disk quota exceeded/;
const ENVIRONMENT_FAULT_LINE =
  /no space left on device|disk quota exceeded|permission denied|read-only file system|too many open files|cannot allocate memory/;

/** Part of the kill timeout reserved for the supervisor. */
const RESERVE_MS = 2_000;
const PROBE_INTERVAL_MS = 2_000;
/** A LiteFS that hangs this long has lost its lease (12 to 20 s). */
const MAX_MISSED_PROBES = 5;
/** LiteFS's children exit within this time (the launcher checks ten times a second). */
const ORPHAN_TIMEOUT_MS = 10_000;

/**
 * Resolves when LiteFS and its children have exited. Aborting `stop` ends them within the kill
 * timeout.
 */
export function runLitefs(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
  probeIntervalMs = PROBE_INTERVAL_MS,
): Promise<LitefsExit> {
  return new Promise((resolve, reject) => {
    // stdout carries the site's log; LiteFS logs to stderr.
    const child = spawn(
      settings.litefs.program,
      ["mount", "-config", join(settings.root, "litefs.yml")],
      { cwd: settings.root, env, stdio: ["ignore", "inherit", "pipe"] },
    );
    let failure: { reason: "corrupt" | "full"; line: string } | null = null;
    const secret = new URL(settings.lease.consulUrl).password;
    const print = suppressRepeatedLines((line) => process.stderr.write(`${line}\n`));
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (CORRUPT_LINE.test(line) && !ENVIRONMENT_FAULT_LINE.test(line))
        failure = { reason: "corrupt", line };
      else if (DISK_FULL_LINE.test(line)) failure ??= { reason: "full", line };
      // Redact the token, because LiteFS prints Consul's URL with it.
      print(secret ? line.replaceAll(secret, "…") : line);
    });
    let kill: NodeJS.Timeout | undefined;
    const end = () => {
      child.kill("SIGTERM");
      kill = setTimeout(() => {
        logEvent("error", "supervisor.killed", { after_ms: settings.killTimeoutMs - RESERVE_MS });
        child.kill("SIGKILL");
      }, settings.killTimeoutMs - RESERVE_MS);
    };
    stop.addEventListener("abort", end, { once: true });
    if (stop.aborted) end();
    child.once("error", (error) =>
      reject(new Error(`LiteFS could not be started: ${error.message}`)),
    );
    const stopWatching = watchLitefs(settings.litefs.url, probeIntervalMs, () =>
      child.kill("SIGKILL"),
    );
    let orphans: NodeJS.Timeout | undefined;
    const finish = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(kill);
      clearTimeout(orphans);
      stopWatching();
      stop.removeEventListener("abort", end);
      resolve({
        code: code ?? (signal ? 1 : 0),
        reason: failure?.reason ?? "other",
        line: failure?.line ?? null,
      });
    };
    // "close" is emitted once its children, which share its output, have also exited.
    child.once(
      "exit",
      (code, signal) => (orphans = setTimeout(() => finish(code, signal), ORPHAN_TIMEOUT_MS)),
    );
    child.once("close", finish);
  });
}

/**
 * Asks LiteFS for its state and calls `onHang` once when it misses MAX_MISSED_PROBES in a row, after
 * it has answered before. Counts probes instead of time, because the machine may have been frozen.
 * Returns a function that stops it.
 */
function watchLitefs(url: string, intervalMs: number, onHang: () => void): () => void {
  const stop = new AbortController();
  void (async () => {
    let missed = -Infinity;
    while (!stop.signal.aborted) {
      missed = await requestInternal(`${url}/info`, { timeoutMs: intervalMs }).then(
        () => 0,
        () => missed + 1,
      );
      if (missed >= MAX_MISSED_PROBES && !stop.signal.aborted) {
        logEvent("error", "supervisor.litefs_hung", { missed_probes: missed });
        return onHang();
      }
      await sleep(intervalMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return () => stop.abort();
}

/** LiteFS repeats these lines several times a second while it looks for a primary. */
const REPEATED_LINE =
  /retrying|existing primary found|cannot become primary|cannot release consul key/;

/**
 * Returns a function that prints lines, but only counts a REPEATED_LINE within `intervalMs`. The
 * count is printed with the next one.
 */
export function suppressRepeatedLines(
  print: (line: string) => void,
  intervalMs = 60_000,
): (line: string) => void {
  const printed = new Map<string, { atMs: number; suppressed: number }>();
  return (line) => {
    if (!REPEATED_LINE.test(line)) return print(line);
    const nowMs = performance.now();
    const key = line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "");
    const last = printed.get(key);
    if (last && nowMs - last.atMs < intervalMs) {
      last.suppressed += 1;
      return;
    }
    if (printed.size > 100) printed.clear();
    printed.set(key, { atMs: nowMs, suppressed: 0 });
    print(
      last?.suppressed ? `${line} (repeated ${last.suppressed} times since last printed)` : line,
    );
  };
}
