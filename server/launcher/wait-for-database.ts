// Has the site open its database as soon as it listens, before a reader needs it.

import { setTimeout as sleep } from "node:timers/promises";
import { requestInternal } from "#lib/core/internal-request.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

const POLL_INTERVAL_MS = 100;
const DEADLINE_MS = 60_000;

/**
 * Asks the site's /readyz until it has read the database, at most `deadlineMs`, or until `hasEnded`. Resolves to whether it has; says so either way.
 * SQLite's first connection in a process empties the -shm file, which LiteFS keeps in its store, and fills it anew. On a full disk that
 * fails (SQLITE_IOERR_SHMSIZE), and so does every read; a process that has a connection goes on reading, and opens more.
 */
export async function waitForReadableDatabase(
  app: Settings["app"],
  hasEnded: () => boolean,
  deadlineMs = DEADLINE_MS,
): Promise<boolean> {
  const fromMs = performance.now();
  let last: unknown;
  while (!hasEnded() && performance.now() - fromMs < deadlineMs) {
    try {
      const { body } = await requestInternal(`${localUrl(app)}/readyz`);
      if ((JSON.parse(body) as { database?: unknown }).database === "readable") {
        logEvent("info", "launch.database_open", { ms: Math.round(performance.now() - fromMs) });
        return true;
      }
      last = body.slice(0, 500);
    } catch (error) {
      last = error;
    }
    await sleep(POLL_INTERVAL_MS);
  }
  if (!hasEnded())
    logEvent("warn", "launch.database_not_open", { after_ms: deadlineMs, error: last });
  return false;
}

/** Where this machine reaches the site; it may listen on all addresses. */
function localUrl({ host, port }: Settings["app"]): string {
  const address = host === "::" ? "::1" : host === "0.0.0.0" ? "127.0.0.1" : host;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
