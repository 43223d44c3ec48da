// Turns a shared page into a template: the parts that differ between readers are marked when the
// page is rendered, and replaced when it is sent (docs/decisions/056-personal-parts.md).

import { randomBytes } from "node:crypto";
import { constants, crc32, deflateRawSync } from "node:zlib";
import { singleton } from "#lib/core/singleton.ts";

/** Random, so that no text of a page contains it. */
const secret = () => singleton("page-template-marker", () => randomBytes(18).toString("hex"));

/** Returns `html` marked as the part `name`, for a page that becomes a template. */
export const markPart = (name: string, html: string): string =>
  `<!--${secret()} ${name}-->${html}<!--${secret()}-->`;

export interface PageTemplate {
  /** The page as everyone sees it. */
  readonly page: Buffer;
  /** Names of the parts in their order. */
  readonly parts: readonly string[];
  /** The page before, between and after the parts; one more than there are parts. */
  readonly segments: readonly Segment[];
}

interface Segment {
  readonly bytes: Buffer;
  /** DEFLATE blocks that end on a byte boundary and don't refer to earlier data. */
  readonly deflated: Buffer;
}

/** Splits a page at its marks. Throws if a mark is not around a part. */
export function parseTemplate(html: string): PageTemplate {
  const pattern = new RegExp(`<!--${secret()} ([\\w-]+)-->([^]*?)<!--${secret()}-->`);
  // Alternates between a segment, a name and the text of a part.
  const pieces = html.split(pattern);
  const texts = pieces.filter((_, index) => index % 3 !== 1);
  if (texts.some((text) => text.includes(secret())))
    throw new Error("A personal-part mark is not around a part.");
  return {
    page: Buffer.from(texts.join("")),
    parts: pieces.filter((_, index) => index % 3 === 1),
    segments: pieces
      .filter((_, index) => index % 3 === 0)
      .map((text) => unpooled(Buffer.from(text)))
      .map((bytes) => ({ bytes, deflated: unpooled(deflate(bytes)) })),
  };
}

/** Returns a copy to keep. A short buffer of Node or zlib would keep a pool of 64 kB in memory. */
export const unpooled = (bytes: Buffer): Buffer => Buffer.from(new Uint8Array(bytes).buffer);

/** Returns the page with `contents` in place of its parts. Throws if one is missing. */
export function fillTemplate(
  template: PageTemplate,
  contents: Readonly<Record<string, string>>,
  encoding: "gzip" | "identity",
): Buffer {
  const parts = template.parts.map((name) => {
    if (contents[name] === undefined) throw new Error(`The part ${name} is missing.`);
    return Buffer.from(contents[name]);
  });
  const join = (pick: (segment: Segment) => Buffer, convert: (part: Buffer) => Buffer) =>
    template.segments.flatMap((segment, index) =>
      index === 0 ? [pick(segment)] : [convert(parts[index - 1]!), pick(segment)],
    );
  const plain = join(
    ({ bytes }) => bytes,
    (part) => part,
  );
  return encoding === "identity"
    ? Buffer.concat(plain)
    : gzip(
        plain,
        join(({ deflated }) => deflated, deflate),
      );
}

/** The size of a DEFLATE window of 12 bits. */
const SHORT_BYTES = 4_096;

const deflate = (bytes: Buffer): Buffer =>
  deflateRawSync(bytes, {
    finishFlush: constants.Z_FULL_FLUSH,
    // Most parts are short. Clearing zlib's default tables would take longer than compressing them.
    ...(bytes.length < SHORT_BYTES && { windowBits: 12, memLevel: 5 }),
  });

const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty final DEFLATE block. */
const LAST_BLOCK = Buffer.from([3, 0]);

/** Joins compressed pieces into one gzip file (RFC 1952). Only the parts are compressed per request. */
function gzip(plain: readonly Buffer[], deflated: readonly Buffer[]): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(plain.reduce((sum, bytes) => crc32(bytes, sum), 0));
  trailer.writeUInt32LE(
    plain.reduce((sum, { length }) => sum + length, 0),
    4,
  );
  return Buffer.concat([GZIP_HEADER, ...deflated, LAST_BLOCK, trailer]);
}
