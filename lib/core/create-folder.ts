// Creates a folder and its parents.

import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

// Otherwise the build takes the parent of DATA_DIR, the whole checkout, into the image.
const isFolder = (path: string) =>
  statSync(/* turbopackIgnore: true */ path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Creates `folder` and its missing parents; an existing folder keeps its mode. Throws the system's
 * error. Node's own `recursive` never returns for a folder in /proc.
 */
export function createFolder(folder: string, mode?: number): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) createFolder(dirname(folder));
  try {
    mkdirSync(/* turbopackIgnore: true */ folder, mode);
  } catch (error) {
    // Another process may have created it first.
    if (!isFolder(folder)) throw error;
  }
}
