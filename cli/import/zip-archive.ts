// Reads files of a ZIP archive within limits, so that a ZIP bomb can't fill the memory.

import { unzipSync, type UnzipFileInfo } from "fflate";
import { ExportError } from "./exported-site.ts";

const MAX_ENTRIES = 100_000;
const MAX_ENTRY_BYTES = 400 * 1_048_576;
/** Text compresses to a tenth of its size; only a bomb compresses to less than a thousandth. */
const MAX_COMPRESSION_RATIO = 1_000;

export interface ZipArchive {
  /** The paths of all files, in the archive's order. */
  readonly paths: readonly string[];
  /** Returns the file's bytes. Throws ExportError if it is missing, damaged, or too large. */
  readonly read: (path: string) => Uint8Array;
}

/**
 * Lists the archive without decompressing it. Throws ExportError if it is not a complete ZIP, has a
 * path twice, or one that leaves its folder.
 */
export function openZip(file: string, bytes: Uint8Array): ZipArchive {
  const entries = new Map<string, UnzipFileInfo>();
  const damaged = (cause: unknown) =>
    cause instanceof ExportError
      ? cause
      : new ExportError(
          `${file} is not a complete ZIP archive (${(cause as Error).message}). Download it again.`,
        );
  let entryCount = 0;
  try {
    unzipSync(bytes, {
      filter: (entry) => {
        entryCount += 1;
        if (entryCount > MAX_ENTRIES)
          throw new ExportError(`${file} has more than ${MAX_ENTRIES} files.`);
        if (entries.has(entry.name))
          throw new ExportError(
            `${file} contains two files named ${JSON.stringify(entry.name)}. Unpack it, keep the right one, and pack it again.`,
          );
        if (!entry.name.endsWith("/")) entries.set(entry.name, entry);
        return false;
      },
    });
  } catch (error) {
    throw damaged(error);
  }
  const unsafe = [...entries.keys()].find(
    (path) => /^[/\\]|^[a-z]:|\0/i.test(path) || path.split(/[/\\]/).includes(".."),
  );
  if (unsafe !== undefined)
    throw new ExportError(
      `${file} contains the path ${JSON.stringify(unsafe)}, which leaves its folder. Nothing was imported.`,
    );
  return {
    paths: [...entries.keys()],
    read(path) {
      const entry = entries.get(path);
      if (!entry) throw new ExportError(`${file} does not contain ${path}.`);
      if (
        entry.originalSize > MAX_ENTRY_BYTES ||
        entry.originalSize > (entry.size + 1_024) * MAX_COMPRESSION_RATIO
      )
        throw new ExportError(
          `${path} in ${file} would decompress to ${entry.originalSize} bytes, which is too large.`,
        );
      try {
        return unzipSync(bytes, { filter: ({ name }) => name === path })[path]!;
      } catch (error) {
        throw damaged(error);
      }
    },
  };
}
