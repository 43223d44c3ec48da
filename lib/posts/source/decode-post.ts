// Decodes the bytes of a post.

import { PostError } from "#lib/posts/post-error.ts";

/** Returns the text of the post at `path`. Throws PostError if it is not UTF-8. */
export function decodePost(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const problem = { file: path, line: 1, reason: "The file is not UTF-8 text." };
    throw new PostError(problem, { cause });
  }
}
