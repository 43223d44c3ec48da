// Deletes what is older than the retention.

import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import type { Archive } from "./archive.ts";
import { planRestore } from "./plan-restore.ts";
import { log } from "#lib/core/log.ts";

const CONCURRENCY = 8;

/**
 * Deletes every object that no restore to `cutoffMs` or later needs: what comes before the newest
 * snapshot that is older. Without such a snapshot, deletes nothing.
 */
export async function pruneArchive(archive: Archive, cutoffMs: number): Promise<void> {
  const plan = await planRestore(archive, cutoffMs);
  const newest = await planRestore(archive);
  if (!plan || !newest) return;
  const { folder, txid } = plan.snapshot;
  const [, timeline = ""] = folder.split("/");
  // The newest state may continue an older timeline, if a former primary has written in between.
  if (newest.snapshot.folder < folder) return;
  const objects = await archive.store.list("timelines/");
  const obsolete = objects.filter(({ name }) => {
    const [, id = "", kind, rest = ""] = name.split("/");
    if (id !== timeline) return id < timeline;
    if (kind === "snapshots") return name < folder;
    return kind === "ltx" && parseInt(rest.slice(17), 16) <= txid;
  });
  await forEachConcurrently(obsolete, CONCURRENCY, ({ name }) => archive.store.delete(name));
  if (obsolete.length > 0) log("info", "backup.pruned", { objects: obsolete.length });
}
