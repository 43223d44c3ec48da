// Creates a folder and its parents.

import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

// Without these turbopackIgnore comments, the build would trace the parent of DATA_DIR, and copy
// the whole checkout into the image.
const isFolder = (path: string) =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Creates `folder` with `mode`, and its missing parents. An existing folder keeps its mode. Throws
 * Node's file system error. mkdirSync's `recursive` option never returns for a folder in /proc.
 */
export function createFolder(folder: string, mode?: number): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) createFolder(dirname(folder));
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    // Another process may have created it first.
    if (!isFolder(folder)) throw error;
  }
}
