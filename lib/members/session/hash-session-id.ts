// What the database keeps of a session's id.

import { createHash } from "node:crypto";

/**
 * The key of a session's row: the SHA-256 of the id in the cookie, in hex, so that a copy of the database logs nobody in.
 * The same for ids that were made here and for those that move in.
 */
export function hashSessionId(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}
