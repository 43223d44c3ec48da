// Reads the backup status that every instance shows from the object store.

import { DAY_MS } from "#lib/core/clock.ts";
import type { DrillResult } from "#lib/core/backup-status.ts";
import { type Archive, findJson } from "./archive.ts";
import { type BackupHeartbeat, HEARTBEAT_NAME } from "./writer.ts";

/** Older drills are ignored. */
const DRILL_HISTORY_MS = 400 * DAY_MS;

/** Returns the primary's heartbeat; null before the first one. */
export const findHeartbeat = (archive: Archive): Promise<BackupHeartbeat | null> =>
  findJson<BackupHeartbeat>(archive, HEARTBEAT_NAME);

/** Returns the newest drill of any instance; null before the first one. */
export async function findLastDrill(archive: Archive): Promise<DrillResult | null> {
  const drills = await archive.store.list("drills/", `drills/${Date.now() - DRILL_HISTORY_MS}`);
  const last = drills.at(-1);
  return last ? findJson<DrillResult>(archive, last.name) : null;
}
