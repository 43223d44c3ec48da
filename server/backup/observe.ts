// Reads from the object store what every instance shows of the backup.

import { DAY_MS } from "#lib/core/clock.ts";
import type { DrillResult } from "#lib/core/backup-status.ts";
import { type Archive, findJson } from "./archive.ts";
import { type BackupHeartbeat, HEARTBEAT_NAME } from "./writer.ts";

/** Older drills are not listed. */
const DRILL_HISTORY_MS = 400 * DAY_MS;

/** Returns the heartbeat of the primary; null before the first. */
export const findHeartbeat = (archive: Archive): Promise<BackupHeartbeat | null> =>
  findJson<BackupHeartbeat>(archive, HEARTBEAT_NAME);

/** Returns the newest drill of any instance; null before the first. */
export async function findLastDrill(archive: Archive): Promise<DrillResult | null> {
  const drills = await archive.store.list("drills/", `drills/${Date.now() - DRILL_HISTORY_MS}`);
  const last = drills.at(-1);
  return last ? findJson<DrillResult>(archive, last.name) : null;
}
