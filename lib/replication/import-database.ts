// Imports a whole database into LiteFS in one transaction, which is replicated to every node.

import { closeSync, createReadStream, existsSync, openSync, readSync } from "node:fs";
import { requestInternal } from "#lib/core/internal-request.ts";

/**
 * Creates or replaces the database `name` in the primary's LiteFS at `url`. Rejects, without
 * changing anything, for problems that LiteFS does not check: a `-wal` file (its rows would be
 * lost), a page size other than 4096 bytes (LiteFS would exit), or a journal mode other than WAL.
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
    throw new Error(`${file} has a -wal file: its latest writes are not in the main file yet`);
  const head = readFileHeader(file);
  if (head.toString("latin1", 0, 15) !== "SQLite format 3")
    throw new Error(`${file} is not a SQLite database`);
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
      `LiteFS responded with ${status} to the import of ${file}: ${body.trim().slice(0, 300)}`,
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
