// Parses the metadata of a page with a tokenizer: Open Graph, Twitter card, <title>.

import { parseMarkup } from "#lib/core/parse-markup.ts";

export interface PageMetadata {
  readonly title?: string;
  readonly description?: string;
  readonly siteName?: string;
  readonly author?: string;
  /** Resolved against the page's base. */
  readonly imageUrl?: string;
  readonly oembedUrl?: string;
}

/** The rest of a longer `<title>` is ignored. */
const MAX_TITLE_CHARS = 4_000;

/**
 * Parses the `html` of the page at `url`, and decodes entities. The first value of each name wins.
 */
export function parsePageMetadata(html: string, url: string): PageMetadata {
  const meta = new Map<string, string>();
  let title = "";
  let hasTitle = false;
  let inTitle = false;
  let inSvg = 0;
  let base: string | undefined;
  let oembed: string | undefined;
  parseMarkup(html, {
    onopentag(name, attributes) {
      if (name === "meta") {
        const key = (attributes.property ?? attributes.name ?? "").trim().toLowerCase();
        const content = attributes.content?.trim();
        if (key && content && !meta.has(key)) meta.set(key, content);
      } else if (name === "title") {
        inTitle = !hasTitle && inSvg === 0;
      } else if (name === "svg") {
        inSvg++;
      } else if (name === "base") {
        base ??= attributes.href;
      } else if (name === "link" && attributes.type?.toLowerCase() === "application/json+oembed") {
        oembed ??= attributes.href;
      }
    },
    ontext(text) {
      if (inTitle && title.length < MAX_TITLE_CHARS) title += text;
    },
    onclosetag(name) {
      if (name === "title") {
        if (inTitle && title.trim() !== "") hasTitle = true;
        inTitle = false;
      } else if (name === "svg") inSvg = Math.max(0, inSvg - 1);
    },
  });
  const first = (...keys: string[]) =>
    keys.map((key) => meta.get(key)).find((value) => value !== undefined);
  const root = base && URL.canParse(base, url) ? new URL(base, url).href : url;
  const absolute = (href: string | undefined) =>
    href && URL.canParse(href, root) ? new URL(href, root).href : undefined;
  return {
    title: first("og:title", "twitter:title") ?? (hasTitle ? title : undefined),
    description: first("og:description", "twitter:description", "description"),
    siteName: first("og:site_name", "application-name"),
    author: first("article:author:name", "author"),
    imageUrl: absolute(
      first(
        "og:image:secure_url",
        "og:image",
        "og:image:url",
        "twitter:image",
        "twitter:image:src",
      ),
    ),
    oembedUrl: absolute(oembed),
  };
}

/**
 * Returns the first paragraph of a quoted post with line breaks, and its date: the text of the link
 * after it.
 */
export function parseQuote(html: string): { text?: string; published?: string } {
  let text = "";
  let published: string | undefined;
  let paragraphs = 0;
  let depth = 0;
  let link: string | undefined;
  parseMarkup(html, {
    onopentag(name) {
      if (name === "p" && paragraphs++ === 0) depth = 1;
      else if (name === "br" && depth > 0) text += "\n";
      else if (name === "a" && depth === 0 && paragraphs > 0) link = "";
    },
    ontext(part) {
      if (depth > 0) text += part;
      else if (link !== undefined) link += part;
    },
    onclosetag(name) {
      if (name === "p") depth = 0;
      else if (name === "a" && link !== undefined) {
        published = link;
        link = undefined;
      }
    },
  });
  return { text: text || undefined, published };
}
