// Recognizes image files by their first bytes, whatever their name or content type says.

export type ImageType = "png" | "jpg" | "gif" | "webp" | "avif" | "svg";

/** The comments of an SVG file may be longer than its head; such a file is not recognized. */
const HEAD_BYTES = 512;
// A comment can't contain the end of another: otherwise, matching takes exponential time (ReDoS).
const SVG =
  /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i;

/** Returns the type of an image, also its usual file extension, or null for other bytes. */
export function detectImageType(bytes: Uint8Array): ImageType | null {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString("latin1");
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (head.startsWith("\xff\xd8\xff")) return "jpg";
  if (/^GIF8[79]a/.test(head)) return "gif";
  if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) return "webp";
  if (/^ftypavi[fs]/.test(head.slice(4, 12))) return "avif";
  return SVG.test(head) ? "svg" : null;
}
