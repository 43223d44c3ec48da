// Gives LiteFS a whole database, in one transaction that every node gets.

import { closeSync, createReadStream, existsSync, openSync, readSync } from "node:fs";
import { requestInternal } from "#lib/core/internal-request.ts";

/**
 * Replaces (or makes) the database `name` of the LiteFS at `url`, which must be the primary's, by `file`. Rejects, with nothing changed,
 * where LiteFS refuses; and before it is asked for what it does not check itself: a `-wal` whose rows it would leave out (trap 16), pages that
 * are not of 4096 bytes, which would end the primary (trap 15), and a journal mode that is not WAL.
 */
export async function importDatabase({
  url,
  name,
  file,
  timeoutMs,
}: {
  url: string;
  name: string;
  file: string;
  timeoutMs: number;
}): Promise<void> {
  if (existsSync(`${file}-wal`))
    throw new Error(`${file} is open in another program: its last writes are not in the file yet`);
  const head = readFileHeader(file);
  if (head.toString("latin1", 0, 15) !== "SQLite format 3")
    throw new Error(`${file} is no SQLite database`);
  const pageSize = head.readUInt16BE(16);
  if (pageSize !== 4096)
    throw new Error(`${file} has pages of ${pageSize} bytes; LiteFS needs 4096`);
  // SQLite's file format, 1.3.3: 2 is WAL.
  if (head[18] !== 2 || head[19] !== 2) throw new Error(`${file} is not in WAL mode`);
  const { status, body } = await requestInternal(`${url}/import?name=${encodeURIComponent(name)}`, {
    method: "POST",
    body: createReadStream(file),
    timeoutMs,
  });
  if (status !== 200)
    throw new Error(
      `LiteFS answered ${status} to the import of ${file}: ${body.trim().slice(0, 300)}`,
    );
}

function readFileHeader(file: string): Buffer {
  const head = Buffer.alloc(100);
  const fd = openSync(file, "r");
  try {
    readSync(fd, head);
  } finally {
    closeSync(fd);
  }
  return head;
}
