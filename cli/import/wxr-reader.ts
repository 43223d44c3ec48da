// Reads WXR, WordPress's extended RSS, item by item. The parser ignores custom entities, so that
// documents can't expand endlessly ("billion laughs").

import { Parser } from "htmlparser2";
import { ExportError } from "./exported-site.ts";

export interface WxrItem {
  /** The text of each child by its name, such as "wp:post_name" or "content:encoded". */
  readonly fields: ReadonlyMap<string, string>;
  readonly terms: readonly {
    readonly domain: string;
    readonly slug: string;
    readonly name: string;
  }[];
  readonly meta: ReadonlyMap<string, readonly string[]>;
  readonly commentCount: number;
}

export interface WxrDocument {
  readonly channel: ReadonlyMap<string, string>;
  readonly items: readonly WxrItem[];
}

const CHUNK_CHARS = 1_048_576;
/** Real exports have five. */
const MAX_DEPTH = 100;
/** Terms and authors of the channel have the same child names as items, so only these count. */
const ITEM_PATH = "rss/channel/item";

/** Throws ExportError if `xml` is not a WXR document, or ends too early. */
export function parseWxr(file: string, xml: string): WxrDocument {
  // Declarations precede the root element; after it, they are the text of a post.
  const [prolog = ""] = xml.slice(0, 20_000).split(/<rss[\s>]/i, 1);
  if (/<!ENTITY/i.test(prolog))
    throw new ExportError(`${file} declares XML entities, which no WordPress export does.`);
  const collector = createCollector(file);
  const parser = new Parser(collector.handler, { xmlMode: true, decodeEntities: true });
  for (let start = 0; start < xml.length; start += CHUNK_CHARS)
    parser.write(xml.slice(start, start + CHUNK_CHARS));
  parser.end();
  if (!collector.sawRss())
    throw new ExportError(
      `${file} is not a WordPress export: it has no <rss>. In WordPress, open Tools → Export.`,
    );
  // The parser closes open elements silently, so look at the text.
  if (!/<\/rss\s*>\s*(?:<!--(?:(?!-->)[\s\S])*-->\s*)*$/.test(xml.slice(-2_000)))
    throw new ExportError(
      `${file} is not complete: it ends before </rss>. Export it again, by year if it is large.`,
    );
  if (!collector.document.channel.has("wp:wxr_version"))
    throw new ExportError(`${file} is RSS, but not a WordPress export: it has no wp:wxr_version.`);
  return collector.document;
}

function createCollector(file: string) {
  const channel = new Map<string, string>();
  const items: WxrItem[] = [];
  const path: string[] = [];
  let hasRss = false;
  let fields = new Map<string, string>();
  let terms: { domain: string; slug: string; name: string }[] = [];
  let meta = new Map<string, string[]>();
  let commentCount = 0;
  let metaKey = "";
  let attributes: Record<string, string> = {};
  let content = "";

  function endItemChild(name: string): void {
    if (name === "wp:comment") commentCount += 1;
    else if (name === "category")
      terms.push({
        domain: attributes.domain ?? "",
        slug: attributes.nicename ?? "",
        name: content.trim(),
      });
    else if (!fields.has(name)) fields.set(name, content);
  }

  return {
    document: { channel, items },
    sawRss: () => hasRss,
    handler: {
      onopentag(name: string, given: Record<string, string>) {
        hasRss ||= path.length === 0 && name === "rss";
        path.push(name);
        if (path.length > MAX_DEPTH)
          throw new ExportError(`${file} has more than ${MAX_DEPTH} levels of nested elements.`);
        content = "";
        if (path.length <= 4) attributes = given;
        if (path.join("/") === ITEM_PATH) {
          fields = new Map();
          terms = [];
          meta = new Map();
          commentCount = 0;
        }
      },
      ontext(chunk: string) {
        content += chunk;
      },
      onclosetag(name: string) {
        const parent = path.slice(0, -1).join("/");
        if (parent === "rss/channel" && name === "item")
          items.push({ fields, terms, meta, commentCount });
        else if (parent === "rss/channel" && !channel.has(name)) channel.set(name, content.trim());
        else if (parent === ITEM_PATH) endItemChild(name);
        else if (parent === `${ITEM_PATH}/wp:postmeta`) {
          if (name === "wp:meta_key") metaKey = content.trim();
          if (name === "wp:meta_value") meta.set(metaKey, [...(meta.get(metaKey) ?? []), content]);
        }
        path.pop();
        content = "";
      },
    },
  };
}
