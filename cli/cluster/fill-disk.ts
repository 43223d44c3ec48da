// Fills the disk of a folder, as logs or uploads do.

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Writes until the disk of `folder` is full. Returns the function that frees it again. */
export function fillDisk(folder: string): () => void {
  const file = join(folder, "ballast");
  const fd = openSync(file, "w");
  let size = 1_048_576;
  while (size >= 1) {
    try {
      // A short write: the disk is full.
      if (writeSync(fd, Buffer.alloc(size)) < size) size = Math.floor(size / 2);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      size = Math.floor(size / 2);
    }
  }
  closeSync(fd);
  return () => rmSync(file);
}
