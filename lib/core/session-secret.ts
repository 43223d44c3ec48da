// Reads the session secret from its file, which the first start creates.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { createFolder } from "./create-folder.ts";

export const MIN_SESSION_SECRET_LENGTH = 32;

/**
 * Returns the secret in `file`, generated on the first start so that a new site runs without
 * configuration. Throws if the file is empty or too short: anyone can sign with a known key.
 */
export function loadOrCreateSessionSecret(file: string): string {
  const secret = (readIfExists(file) ?? createSecretFile(file)).trim();
  if (secret.length < MIN_SESSION_SECRET_LENGTH)
    throw new Error(
      `${file} has fewer than ${MIN_SESSION_SECRET_LENGTH} characters. Restore it, or delete it to generate a new one, which logs everyone out`,
    );
  return secret;
}

function readIfExists(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Writes a new secret to a temporary file and links it to `file`, so that `file` is never partly
 * written. Returns what `file` contains: if two processes start, one secret wins.
 */
function createSecretFile(file: string): string {
  createFolder(dirname(file));
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(fd, randomBytes(32).toString("hex"));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(temporary, file);
  } catch (error) {
    // EEXIST: another process created it first.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return readFileSync(file, "utf8");
}
