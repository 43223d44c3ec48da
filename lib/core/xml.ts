// Builds XML text: escaped elements, without characters that XML 1.0 forbids.

import { escapeHtml } from "./escape-html.ts";

/**
 * Removes characters that XML 1.0 forbids even when escaped: control characters, U+FFFE, U+FFFF.
 * Replaces lone surrogates.
 */
export function stripInvalidXmlCharacters(text: string): string {
  return text.toWellFormed().replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "");
}

function escapeXml(text: string): string {
  return escapeHtml(stripInvalidXmlCharacters(text));
}

type Attributes = Record<string, string>;
/** Text is escaped; null is omitted. */
export type XmlChild = string | XmlElement | null;

/** Serialized XML. */
export class XmlElement {
  readonly xml: string;
  constructor(xml: string) {
    this.xml = xml;
  }
}

/** Creates `<name attributes>children</name>`. Names are not escaped: never pass user input. */
export function createElement(
  name: string,
  attributes: Attributes | null,
  ...children: XmlChild[]
): XmlElement {
  const head = `${name}${Object.entries(attributes ?? {})
    .map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
    .join("")}`;
  const body = children
    .map((child) =>
      child === null ? "" : typeof child === "string" ? escapeXml(child) : `\n${child.xml}`,
    )
    .join("");
  const closing = children.some((child) => child instanceof XmlElement) ? "\n" : "";
  return new XmlElement(body === "" ? `<${head}/>` : `<${head}>${body}${closing}</${name}>`);
}

/** Returns the document with its XML declaration. */
export function renderXmlDocument(root: XmlElement): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n${root.xml}\n`;
}
