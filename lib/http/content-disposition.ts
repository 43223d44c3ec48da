// Builds Content-Disposition headers.

/**
 * Returns an inline Content-Disposition with a filename that is safe in headers and on disk, in
 * ASCII for old clients and in UTF-8 (RFC 6266, RFC 8187).
 */
export function contentDisposition(filename: string): string {
  const dot = filename.lastIndexOf(".");
  const [name, extension] =
    dot > 0 ? [filename.slice(0, dot), filename.slice(dot)] : [filename, ""];
  const clean = (text: string) =>
    text
      .toWellFormed()
      .replace(
        /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]+/g,
        " ",
      )
      .replace(/\s+/g, " ")
      .replace(/^[ .]+|[ .]+$/g, "");
  const whole = `${[...clean(name)].slice(0, 80).join("").trim() || "recording"}${clean(extension) && `.${clean(extension)}`}`;
  const ascii = whole
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^\x20-\x7e]+/g, "_")
    // NFKD turns fullwidth characters into these.
    .replace(/[%;'/\\:*?"<>|]/g, "_");
  const utf8 = encodeURIComponent(whole).replace(
    /['()*!]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `inline; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}
