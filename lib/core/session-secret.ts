// Reads the session secret from its file. The first start creates the file.

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
 * Returns the secret in `file`. If the file is missing, generates one, so that a new site runs
 * without configuration. Throws Error if the secret is empty or short enough to guess.
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
 * Writes a new secret to a temporary file and links `file` to it, so that `file` is never partly
 * written. Returns the contents of `file`: if two processes start, both get the first one's secret.
 */
function createSecretFile(file: string): string {
  createFolder(dirname(file));
  // Without turbopackIgnore, the build takes every file that this pattern matches into the image.
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    const fd = openSync(/* turbopackIgnore: true */ temporary, "wx", 0o600);
    try {
      writeFileSync(fd, randomBytes(32).toString("hex"));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(/* turbopackIgnore: true */ temporary, file);
  } catch (error) {
    // EEXIST: another process created it first.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(/* turbopackIgnore: true */ temporary, { force: true });
  }
  return readFileSync(file, "utf8");
}
