// Caches the most recently requested sanitized SVGs.

import { LRUCache } from "lru-cache";
import { sanitizeSvg } from "./sanitize-svg.ts";

const sanitized = new LRUCache<string, Uint8Array<ArrayBuffer>>({
  maxSize: 4_194_304,
  sizeCalculation: ({ byteLength }) => Math.max(1, byteLength),
});

/** Returns the SVG without scripts. `read` returns the original of this blob SHA. */
export async function getSanitizedSvg(
  blobSha: string,
  read: () => Promise<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  let svg = sanitized.get(blobSha);
  if (!svg) sanitized.set(blobSha, (svg = sanitizeSvg(await read())));
  return svg;
}
