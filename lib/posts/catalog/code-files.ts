// Reads the files that the code of a post may import, from its source of content.

import {
  candidatePaths,
  codeFilePattern,
  type CodeFiles,
} from "#lib/posts/mdx/code/resolve-module.ts";
import { PostError } from "#lib/posts/post-error.ts";
import type { ContentFile } from "#lib/posts/source/content-source.ts";

/** Code above these limits is an application, not the components of a post. */
const MAX_CODE_FILES = 200;
const MAX_CODE_BYTES = 2 * 1_048_576;

/** Matches a relative path that is imported by JavaScript, TypeScript or CSS. */
const importPattern =
  /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\(|@import(?:\s+url\()?)\s*["'](\.\.?(?:\/[^"'\n]*)?)["']/g;

/**
 * Returns the contents of the files that `body` imports, directly or not, by path below the content
 * root; undefined if it imports none. May contain extra files, because it doesn't parse the code.
 * Throws PostError above the limits, AppError(unavailable) if the source fails.
 */
export async function loadCodeFiles(
  postFile: string,
  body: string,
  filesByPath: ReadonlyMap<string, ContentFile>,
  readFile: (file: ContentFile) => Promise<Uint8Array>,
): Promise<CodeFiles | undefined> {
  if (!postFile.endsWith(".mdx") || findImports(body).length === 0) return undefined;
  const texts: Record<string, string> = {};
  const queue = [{ path: postFile, text: body }];
  let bytes = 0;
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const source of findImports(next.text)) {
      const file = candidatePaths(source, next.path)
        .map((path) => filesByPath.get(path))
        .find((candidate) => candidate !== undefined);
      if (!file || !codeFilePattern.test(file.path) || Object.hasOwn(texts, file.path)) continue;
      bytes += file.bytes;
      if (bytes > MAX_CODE_BYTES || Object.keys(texts).length >= MAX_CODE_FILES)
        throw new PostError({
          file: postFile,
          line: 1,
          reason: `it imports too much: the limit is ${MAX_CODE_FILES} files and ${MAX_CODE_BYTES / 1_048_576} MB in total`,
        });
      const text = decodeCode(file.path, await readFile(file));
      texts[file.path] = text;
      queue.push({ path: file.path, text });
    }
  }
  // Sorted, so that equal files give an equal compile key.
  return Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function findImports(text: string): string[] {
  return [...text.matchAll(importPattern)].map((match) => match[1]!);
}

function decodeCode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new PostError(
      { file: path, line: 1, reason: "the file is not UTF-8 text" },
      { cause: error },
    );
  }
}
