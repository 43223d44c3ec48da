// Reads an export file within a size limit.

import { readFileSync, statSync } from "node:fs";
import { ExportError } from "./exported-site.ts";

/** A larger file doesn't fit into one JavaScript string. */
const MAX_TEXT_BYTES = 400 * 1_048_576;
const MAX_ZIP_BYTES = 2_000 * 1_048_576;

/** Returns the bytes of `file`. Throws ExportError if it is missing, empty, or too large. */
export function readExport(file: string): Uint8Array {
  const isZip = /\.zip$/i.test(file);
  const maxBytes = isZip ? MAX_ZIP_BYTES : MAX_TEXT_BYTES;
  try {
    const info = statSync(file);
    if (!info.isFile()) throw new ExportError(`${file} is not a file.`);
    if (info.size === 0) throw new ExportError(`${file} is empty. Export it again.`);
    if (info.size > maxBytes)
      throw new ExportError(
        `${file} is larger than ${maxBytes / 1_048_576} MB. Export the posts in several parts.`,
      );
    return readFileSync(file);
  } catch (error) {
    if (error instanceof ExportError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ExportError(
      code === "ENOENT"
        ? `${file} does not exist. Check the path.`
        : `${file} can't be read (${code ?? message}).`,
    );
  }
}

/** Returns the text without a byte order mark. Throws ExportError if it is not UTF-8. */
export function decodeExport(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ExportError(`${file} is not UTF-8 text. Is it the file that the platform exported?`);
  }
}
