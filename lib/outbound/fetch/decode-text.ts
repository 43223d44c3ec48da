// Decodes a page's bytes in its declared character encoding.

/** How far the HTML standard looks for `<meta charset>`. */
const SNIFF_BYTES = 1_024;

function createDecoder(label: string | undefined): TextDecoder | null {
  if (!label) return null;
  try {
    return new TextDecoder(label);
  } catch {
    return null;
  }
}

/**
 * Decodes by the byte order mark, Content-Type, `<meta charset>`, or UTF-8, in this order. Invalid
 * bytes become U+FFFD.
 */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf)
    return new TextDecoder("utf-8").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  const declared = /charset\s*=\s*["']?([^\s"';]+)/i;
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, SNIFF_BYTES));
  const meta = /<meta[^>]{0,500}charset\s*=\s*["']?([^\s"'/;>]+)/i;
  const decoder =
    createDecoder(declared.exec(contentType)?.[1]) ??
    createDecoder(meta.exec(start)?.[1]) ??
    new TextDecoder("utf-8");
  return decoder.decode(bytes);
}
