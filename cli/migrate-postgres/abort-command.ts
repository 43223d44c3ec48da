// Undoes a migration: drops slot and publication, allows writes, and deletes the migration's files.

import { isAppError } from "#lib/core/errors.ts";
import { allowWrites, findReadOnlySetting, isSettingOn } from "./block-writes.ts";
import { assertSameSource } from "./migration.ts";
import {
  type MigrationState,
  deleteMigrationFiles,
  findState,
  hasMigrationFiles,
} from "./migration-state.ts";
import { dropSlot } from "./replication-slot.ts";

/**
 * Returns what was undone, in sentences. `canAllowWrites` also lifts a read-only setting that no
 * state file accounts for. Throws AppError(conflict) if `url` is not the database that the
 * migration started with.
 */
export async function abortMigration({
  url,
  targetFile,
  canAllowWrites,
}: {
  url: string;
  targetFile: string;
  canAllowWrites: boolean;
}): Promise<string[]> {
  const state = findReadableState(targetFile);
  const done: string[] = [];
  if (state) await assertSameSource({ url }, state);
  // Without a state file, the slot may belong to another migration. If the state has no slot, the
  // slot certainly does.
  const isOurs = state !== null || hasMigrationFiles(targetFile);
  if (state?.slot !== null && (await dropSlot(url, { force: isOurs })))
    done.push("Dropped the slot and the publication in the source.");
  const isReadOnly = isSettingOn(await findReadOnlySetting(url));
  if (isReadOnly && (state?.readOnly || canAllowWrites)) {
    await allowWrites(url, state?.readOnly?.before ?? null);
    done.push(
      "The source site can write again. Read-only sessions were terminated, so that they reconnect.",
    );
  } else if (isReadOnly) {
    done.push(
      "The source database is read-only, but there is no record that this migration did it. --allow-writes lets the source site write again.",
    );
  }
  if (hasMigrationFiles(targetFile)) {
    deleteMigrationFiles(targetFile);
    done.push(
      state?.phase === "done"
        ? `Deleted the state; ${targetFile} stays, with writes that the source does not have. Stop this site, or two sites will accept writes. The replaced database is next to it (.backup-…).`
        : "Deleted the copy.",
    );
  }
  return done.length > 0 ? done : ["There was nothing to undo."];
}

/** Ignores an unreadable state: abort must work without it. */
function findReadableState(targetFile: string): MigrationState | null {
  try {
    return findState(targetFile);
  } catch (error) {
    if (isAppError(error, "conflict")) return null;
    throw error;
  }
}
