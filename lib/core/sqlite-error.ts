// Reads SQLite's error codes, which Prisma's adapter hides in the cause of its own error.

/** Returns SQLite's code, such as "SQLITE_BUSY", or "". */
export function sqliteErrorCode(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { originalCode?: unknown } };
  return String(code ?? cause?.originalCode ?? "");
}

export const isBusy = (error: unknown): boolean => sqliteErrorCode(error).startsWith("SQLITE_BUSY");

/**
 * Returns true if SQLite found the file corrupt, for example because an import replaced it under an
 * open connection.
 */
export function isCorrupt(error: unknown): boolean {
  const { cause, message } = (error ?? {}) as { cause?: unknown; message?: unknown };
  return (
    /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteErrorCode(error)) ||
    (cause !== undefined && isCorrupt(cause)) ||
    /database disk image is malformed|file is not a database/.test(String(message ?? ""))
  );
}

/** Returns true if SQLite found the file corrupt, or the disk failed to read or write it. */
export const isDamaged = (error: unknown): boolean =>
  isCorrupt(error) || sqliteErrorCode(error).startsWith("SQLITE_IOERR");
