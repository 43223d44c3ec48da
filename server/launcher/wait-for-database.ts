// Makes the site open its database as soon as it is listening.

import { setTimeout as sleep } from "node:timers/promises";
import { requestInternal } from "#lib/core/internal-request.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

const POLL_INTERVAL_MS = 100;
const DEADLINE_MS = 60_000;

/**
 * Polls the site's /readyz until it has read the database (resolves to true), `deadlineMs` have
 * passed, or `hasEnded` returns true. On a full disk, a process can't open its first connection
 * (SQLITE_IOERR_SHMSIZE), but an open connection keeps reading.
 */
export async function waitForReadableDatabase(
  app: Settings["app"],
  hasEnded: () => boolean,
  deadlineMs = DEADLINE_MS,
): Promise<boolean> {
  const fromMs = performance.now();
  let lastResult: unknown;
  while (!hasEnded() && performance.now() - fromMs < deadlineMs) {
    try {
      const { body } = await requestInternal(`${localUrl(app)}/readyz`);
      if ((JSON.parse(body) as { database?: unknown }).database === "readable") {
        logEvent("info", "launcher.database_open", { ms: Math.round(performance.now() - fromMs) });
        return true;
      }
      lastResult = body.slice(0, 500);
    } catch (error) {
      lastResult = error;
    }
    await sleep(POLL_INTERVAL_MS);
  }
  if (!hasEnded())
    logEvent("warn", "launcher.database_not_open", { after_ms: deadlineMs, error: lastResult });
  return false;
}

/** Returns the URL at which this machine reaches the site. */
function localUrl({ host, port }: Settings["app"]): string {
  const address = host === "::" ? "::1" : host === "0.0.0.0" ? "127.0.0.1" : host;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
