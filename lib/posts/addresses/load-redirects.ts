// Reads the redirects file: from the content, or the file that site.config.ts names.

import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import {
  type ContentFile,
  type ContentSource,
  REDIRECTS_FILE,
} from "#lib/posts/source/content-source.ts";
import { type RedirectRule, parseRedirects } from "./redirect-rules.ts";

export interface Redirects {
  readonly rules: readonly RedirectRule[];
  /** "file:line: reason". */
  readonly warnings: readonly string[];
}

const DEFAULT_FILE = join("content", REDIRECTS_FILE);

/**
 * Returns the rules that belong to `files`; none without a file. Throws AppError(unavailable) if the
 * source fails.
 */
export async function loadRedirects(
  files: readonly ContentFile[],
  source: ContentSource,
): Promise<Redirects> {
  const path = normalize(siteConfig.content.redirects);
  const isInContent = path === DEFAULT_FILE || path === join(env.CONTENT_DIR, REDIRECTS_FILE);
  const file = isInContent ? files.find((each) => each.path === REDIRECTS_FILE) : undefined;
  if (isInContent && !file) return { rules: [], warnings: [] };
  try {
    const bytes = await (file ? source.readFile(file) : readFile(path));
    return parseRedirects(Buffer.from(bytes).toString("utf8"), file?.path ?? path);
  } catch (error) {
    if (isAppError(error, "unavailable")) throw error;
    return { rules: [], warnings: [`${path}:1: can't be read: ${(error as Error).message}`] };
  }
}
