// Writes a file in one step, so that an interrupted import leaves no partial file.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes the whole file or nothing. A partial file would look edited to the next import. */
export function writeAtomically(path: string, data: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${process.pid}.tmp`);
  writeFileSync(temporary, data);
  renameSync(temporary, path);
}
