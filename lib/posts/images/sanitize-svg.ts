// Removes scripts from an SVG.

import { escapeHtml } from "#lib/core/escape-html.ts";
import { parseMarkup } from "#lib/core/parse-markup.ts";

const REMOVED_ELEMENTS = /^(?:.+:)?(?:script|iframe|object|embed|handler|listener)$/i;
const EVENT_ATTRIBUTE = /^on/i;
const SCRIPT_URL = /(?:^|;)(?:java|vb)script:|^data:(?!image\/)/i;
/** How many characters entities may add: a small file could become gigabytes. */
const MAX_ENTITY_TEXT = 1_000_000;

/** Browsers ignore control characters and some spaces in a URL, in its scheme too. */
const isScriptUrl = (value: string) => SCRIPT_URL.test(value.replace(/[\s\u0000-\u0020]+/g, ""));

/**
 * Returns the SVG as UTF-8, without scripts, event attributes and script URLs. Drops the rest of
 * the document after 2,000 nested elements.
 */
export function sanitizeSvg(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let svg = "";
  /** How many removed elements are open. */
  let removedDepth = 0;
  parseMarkup(
    expandEntities(decodeXml(bytes)),
    {
      onopentag(name, attributes) {
        if (removedDepth > 0 || REMOVED_ELEMENTS.test(name)) {
          removedDepth += 1;
          return;
        }
        svg += `<${name}${Object.entries(attributes)
          .filter(([key, value]) => !EVENT_ATTRIBUTE.test(key) && !isScriptUrl(value))
          .map(([key, value]) => ` ${key}="${escapeHtml(value)}"`)
          .join("")}>`;
      },
      ontext(text) {
        if (removedDepth === 0) svg += escapeHtml(text);
      },
      onclosetag(name) {
        if (removedDepth > 0) removedDepth -= 1;
        else svg += `</${name}>`;
      },
    },
    { xmlMode: true, recognizeCDATA: true },
  );
  return Buffer.from(svg);
}

/** Returns the text by its byte order mark or declared encoding; UTF-8 by default. */
export function decodeXml(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 200)).toString("latin1");
  const declared = /^<\?xml[^>]*\bencoding\s*=\s*["']([\w.-]+)["']/i.exec(head)?.[1] ?? "utf-8";
  const isUtf16 = /^(?:\xff\xfe|\xfe\xff)/.exec(head)?.[0];
  const encoding = isUtf16 ? (isUtf16 === "\xff\xfe" ? "utf-16le" : "utf-16be") : declared;
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

/**
 * Replaces the document's own entities, which drawing programs declare for namespaces. Entities
 * with markup are dropped, and so is the declaration.
 */
function expandEntities(text: string): string {
  // Only the first one: searching for the end of each takes quadratic time.
  const declaration = /<!DOCTYPE\b[^>[]*(?:\[[\s\S]*?\]\s*)?>/iy;
  declaration.lastIndex = Math.max(0, text.search(/<!DOCTYPE\b/i));
  const doctype = declaration.exec(text)?.[0];
  if (doctype === undefined) return text;
  const values = new Map(
    [...doctype.matchAll(/<!ENTITY\s+([\w.-]+)\s+(?:"([^"<&]*)"|'([^'<&]*)')\s*>/g)].map(
      ([, name, quoted, single]) => [name!, quoted ?? single ?? ""],
    ),
  );
  let added = 0;
  return text
    .replace(doctype, () => "")
    .replace(/&([\w.-]+);/g, (entity, name: string) => {
      const value = values.get(name) ?? entity;
      added += value.length;
      return added > MAX_ENTITY_TEXT ? entity : value;
    });
}
