// The guard in front of every write that a request asks for.

import { AppError } from "../base/errors.ts";
import { role } from "../litefs/role.ts";

/**
 * Returns on the instance that may write. Throws AppError(unavailable) where no primary is known.
 * Call it first in every action and handler that writes, before anything is read for the write.
 */
export async function ensurePrimary(): Promise<void> {
  if (role() === "primary") return;
  throw new AppError("unavailable", "Writes are paused for some seconds. Nothing was lost: try again in a moment.", { retryAfterSeconds: 5 });
}
