// Serves the code of a post's components: the module of its islands, and its stylesheet.

import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { LRUCache } from "lru-cache";
import { findPostCode } from "#lib/posts/catalog/site-catalog.ts";

export const dynamic = "force-dynamic";

const compress = promisify(brotliCompress);
const CONTENT_TYPES = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
} as const;
const MAX_CACHED_BYTES = 8 * 1024 * 1024;
/** By file name, which contains a hash of the content. */
const compressedFiles = new LRUCache<string, Uint8Array<ArrayBuffer>>({
  maxSize: MAX_CACHED_BYTES,
  sizeCalculation: (bytes) => bytes.length,
});

export async function GET(
  request: Request,
  { params }: { params: Promise<{ file: string }> },
): Promise<Response> {
  const match = /^([0-9a-f]{32})\.(js|css)$/.exec((await params).file);
  const code = match && (await findPostCode(match[1]!));
  const text = code && (match[2] === "js" ? code.browser : code.css);
  if (!text)
    return new Response("Not found.\n", {
      status: 404,
      // Another instance may have a version that this one gets in a moment.
      headers: { "Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8" },
    });
  const isBrotli = /\bbr\b/.test(request.headers.get("accept-encoding") ?? "");
  return new Response(isBrotli ? await compressFile(match[0], text) : text, {
    headers: {
      "Cache-Control": "public, max-age=31536000, immutable",
      "Content-Type": CONTENT_TYPES[match[2] as "js" | "css"],
      Vary: "Accept-Encoding",
      "X-Content-Type-Options": "nosniff",
      ...(isBrotli && { "Content-Encoding": "br" }),
    },
  });
}

async function compressFile(name: string, text: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = compressedFiles.get(name);
  if (!bytes) {
    bytes = new Uint8Array(
      await compress(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    );
    compressedFiles.set(name, bytes);
  }
  return bytes;
}
