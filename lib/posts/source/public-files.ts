// Reads files of public/ that posts mention, such as /images/x.png.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type ContentFile, MAX_FILE_BYTES, assertFileSize, gitBlobSha } from "./content-source.ts";

interface KnownFile {
  readonly stamp: string;
  readonly file: ContentFile | null;
  /** The stamp at the last check. `stamp` stays old if no post mentions the file anymore. */
  checkedStamp: string;
}

export interface PublicFiles {
  /** Returns the file at a path such as "/images/x.png", or null. */
  find(path: string): Promise<ContentFile | null>;
  /** Returns a file that `find` has returned, by its blob SHA, or null. */
  findBySha(blobSha: string): ContentFile | null;
  /** Throws AppError(unavailable) if the file has changed since it was found. */
  read(file: ContentFile): Promise<Uint8Array>;
  /** Returns a number that increases when a file that posts mention changes. */
  getRevision(): Promise<number>;
}

/** Checks names, sizes and times for `getRevision` at most every `recheckMs`. */
export function createPublicFiles({
  dir,
  recheckMs,
}: {
  dir: string;
  recheckMs: number;
}): PublicFiles {
  const known = new Map<string, KnownFile>();
  let revision = 0;
  let checkedAtMs = nowMs();

  async function find(path: string): Promise<ContentFile | null> {
    if (!isPublicPath(path)) return null;
    const stamp = await readStamp(join(dir, path));
    const previous = known.get(path);
    if (previous?.stamp === stamp) return previous.file;
    const file = stamp === "" ? null : await load(path, stamp);
    known.set(path, { stamp, file, checkedStamp: stamp });
    return file;
  }

  async function load(path: string, stamp: string): Promise<ContentFile | null> {
    const bytes = Number(stamp.split(" ")[0]);
    if (bytes > MAX_FILE_BYTES) return { path, blobSha: gitBlobSha(Buffer.from(stamp)), bytes };
    const content = await readFile(join(dir, path)).catch(() => null);
    return content && { path, blobSha: gitBlobSha(content), bytes: content.byteLength };
  }

  return {
    find,
    findBySha: (blobSha) =>
      [...known.values()].find(({ file }) => file?.blobSha === blobSha)?.file ?? null,
    async read(file) {
      assertFileSize(file);
      const bytes = await readFile(join(dir, file.path)).catch(() => null);
      if (bytes && gitBlobSha(bytes) === file.blobSha) return bytes;
      throw new AppError("unavailable", `public${file.path} changed while it was read.`);
    },
    async getRevision() {
      if (nowMs() - checkedAtMs < recheckMs) return revision;
      checkedAtMs = nowMs();
      const areUnchanged = await Promise.all(
        [...known].map(async ([path, file]) => {
          const { checkedStamp } = file;
          file.checkedStamp = await readStamp(join(dir, path));
          return file.checkedStamp === checkedStamp;
        }),
      );
      if (areUnchanged.includes(false)) revision += 1;
      return revision;
    },
  };
}

/** Returns the size and time of a regular file, or "" if it is missing. */
async function readStamp(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? `${found.size} ${found.mtimeMs}` : "";
}

/** Prevents path traversal. */
function isPublicPath(path: string): boolean {
  const [first, ...parts] = path.split("/");
  return (
    first === "" &&
    parts.every((part) => part !== "" && !part.startsWith(".") && !/[\\\0]/.test(part))
  );
}
