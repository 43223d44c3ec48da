// Computes the compiler's version. Posts compiled by another version are compiled again.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

let cachedVersion: string | undefined;

/**
 * Returns a hash of the compiler's files and package-lock.json, so that no version number has to be
 * bumped by hand. Computed once per process.
 */
export function compilerVersion(): string {
  if (cachedVersion !== undefined) return cachedVersion;
  // The worker runs from these files, so they exist wherever the site runs.
  const root = join(/* turbopackIgnore: true */ process.cwd(), "lib/posts/mdx");
  const hash = createHash("sha256");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  try {
    hash.update(readFileSync(join(/* turbopackIgnore: true */ process.cwd(), "package-lock.json")));
  } catch {
    // In a container image without the lock file, the compiler's files alone identify the version.
  }
  cachedVersion = hash.digest("hex").slice(0, 16);
  return cachedVersion;
}
