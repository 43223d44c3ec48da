// Which compiler we have: posts compiled by another one are compiled again.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

let cachedVersion: string | undefined;

/**
 * A hash over the compiler's own files and the locked versions of what it uses. Nobody has to remember to raise a
 * number, and a post is never shown as an older compiler made it. Computed once per process.
 */
export function compilerVersion(): string {
  if (cachedVersion !== undefined) return cachedVersion;
  // The worker runs from these files, so they are there wherever the site runs.
  const root = join(/* turbopackIgnore: true */ process.cwd(), "lib/posts/mdx");
  const hash = createHash("sha256");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  try {
    hash.update(readFileSync(join(/* turbopackIgnore: true */ process.cwd(), "package-lock.json")));
  } catch {
    // An image without the lock file is built from one lock file: its compiler's files tell it apart.
  }
  cachedVersion = hash.digest("hex").slice(0, 16);
  return cachedVersion;
}
