// Serves the code of a post's components: the module of its islands, and its stylesheet.

import { findPostCode } from "#lib/posts/catalog/site-catalog.ts";

export const dynamic = "force-dynamic";

const CONTENT_TYPES = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
} as const;

export async function GET(
  _: Request,
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
  // Next compresses it, and removes a Content-Encoding that a handler sets.
  return new Response(text, {
    headers: {
      "Cache-Control": "public, max-age=31536000, immutable",
      "Content-Type": CONTENT_TYPES[match[2] as "js" | "css"],
      "X-Content-Type-Options": "nosniff",
    },
  });
}
