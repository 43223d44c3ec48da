// Reads the text of the owner's mdx-components.tsx, whose names the compiler needs.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the text, or "" without the file. The components themselves are part of the build. */
export function readOwnerComponents(): string {
  try {
    return readFileSync(
      join(/* turbopackIgnore: true */ process.cwd(), "mdx-components.tsx"),
      "utf8",
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
