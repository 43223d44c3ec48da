// Keeps copies of the database from filling the disk: LiteFS exits on a full one.

import { statfsSync } from "node:fs";
import { PostponedError } from "./change-source.ts";

/** Bytes that stay free in addition to the copy. */
const RESERVE_BYTES = 256 * 1_048_576;

/** Throws PostponedError unless `folder` has space for `bytes` and a reserve. */
export function assertFreeSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const missing = bytes + RESERVE_BYTES - bavail * bsize;
  if (missing > 0)
    throw new PostponedError(
      `${folder} needs ${Math.ceil(missing / 1_048_576)} MB more free space for a copy of the database`,
    );
}
