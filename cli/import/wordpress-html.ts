// Turns the content of a WordPress post into plain HTML: paragraphs of the classic editor, block
// comments, shortcodes.

import { escapeHtml } from "#lib/core/escape-html.ts";

interface Attachment {
  readonly url: string;
  readonly alt: string;
}

interface WordPressContext {
  /** The JSON of the footnotes block, from the post's meta. */
  readonly footnotes?: string;
  readonly findAttachmentUrl: (id: string) => Attachment | null;
  /** Returns the IDs of the images that are attached to the post. */
  readonly listImageIds: () => readonly string[];
  /** Returns the content of a reusable block, or null. */
  readonly findReusableBlock: (id: string) => string | null;
}

/**
 * Returns HTML for the converter, with warnings about missing blocks and about unknown shortcodes,
 * which stay as text.
 */
export function normalizeWordPressHtml(
  content: string,
  context: WordPressContext,
): { html: string; warnings: string[] } {
  const protectedCode: string[] = [];
  const protect = (html: string) => {
    protectedCode.push(html);
    return `\n\n<pre data-protected="${protectedCode.length - 1}"></pre>\n\n`;
  };
  const isBlockContent = /<!-- wp:/.test(content);
  const warnings = new Set<string>();
  let html = expandBlocks(content, context, warnings).replace(/\r\n?/g, "\n");
  html = html.replace(
    /<!-- wp:syntaxhighlighter\/code(?: (\{(?:(?!--).)*\}))? -->\s*<pre[^>]*>([\s\S]*?)<\/pre>\s*<!-- \/wp:syntaxhighlighter\/code -->/g,
    (_, json: string | undefined, code: string) => protect(codeBlock(code, readLanguage(json))),
  );
  html = html.replace(
    /\[(code|sourcecode|cc)((?:\s[^\]]*)?)\]([\s\S]*?)\[\/\1\]/g,
    (_, _name, attributes: string, code: string) =>
      protect(
        codeBlock(
          escapeRawCode(code.trim()),
          readAttributes(attributes).lang ?? readAttributes(attributes).language ?? "",
        ),
      ),
  );
  html = html.replace(/<pre[\s>][\s\S]*?<\/pre>/g, (pre) =>
    pre.startsWith("<pre data-protected") ? pre : protect(pre),
  );
  html = html.replace(/<!--\s*more[\s\S]*?-->|<!--\s*nextpage\s*-->/g, "");
  html = html.replace(/<!-- \/?wp:[\s\S]*?-->/g, "");
  const unknownShortcodes = new Set<string>();
  html = replaceShortcodes(html, context, unknownShortcodes);
  if (!isBlockContent) html = addParagraphs(html);
  html += footnoteList(context.footnotes);
  html = html.replace(
    /<pre data-protected="(\d+)"><\/pre>/g,
    (_, index: string) => protectedCode[Number(index)]!,
  );
  for (const name of unknownShortcodes) warnings.add(`the shortcode [${name}] stayed as text`);
  return { html, warnings: [...warnings] };
}

const MAX_BLOCK_DEPTH = 5;

/**
 * Replaces references to reusable blocks with the blocks. Removes other blocks without content,
 * which WordPress generates.
 */
function expandBlocks(
  html: string,
  context: WordPressContext,
  warnings: Set<string>,
  depth = 0,
): string {
  // WordPress escapes "--" in attributes, so a match can't extend beyond its comment.
  return html.replace(
    /<!-- wp:([a-z][\w/-]*)(?: (\{(?:(?!--).)*\}))? \/-->/g,
    (_, name: string, json: string | undefined) => {
      const id = name === "block" ? /"ref":(\d+)/.exec(json ?? "")?.[1] : undefined;
      const block = id && depth < MAX_BLOCK_DEPTH ? context.findReusableBlock(id) : null;
      if (block) return expandBlocks(block, context, warnings, depth + 1);
      if (name === "block")
        warnings.add(
          depth < MAX_BLOCK_DEPTH
            ? "lost a reusable block: the export lacks it. Export “All content”"
            : `lost a reusable block that is inside more than ${MAX_BLOCK_DEPTH} others, or itself`,
        );
      // The post's meta has the footnotes.
      else if (name !== "footnotes")
        warnings.add(`the block “${name}” was left out: WordPress generates it`);
      return "";
    },
  );
}

const codeBlock = (code: string, language: string) =>
  `<pre><code class="language-${escapeHtml(language)}">${code}</code></pre>`;

/** The classic editor stores code with or without character references; a tag means without. */
const escapeRawCode = (code: string) =>
  /&(lt|gt|amp|quot|#\d+);/.test(code) ? code : escapeHtml(code);

function readLanguage(json: string | undefined): string {
  try {
    return String((JSON.parse(json ?? "{}") as { language?: unknown }).language ?? "");
  } catch {
    return "";
  }
}

/** Parses `name="value" name=value` and single values such as a URL (under ""). */
function readAttributes(source: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, double, single, bare, alone] of source.matchAll(
    /([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'\]]+))|(\S+)/g,
  )) {
    if (name) attributes[name.toLowerCase()] = double ?? single ?? bare ?? "";
    else attributes[""] ??= (alone ?? "").replace(/^["']|["']$/g, "");
  }
  return attributes;
}

const paragraphUrl = (url: string) => `\n\n<p>${escapeHtml(decodeReferences(url.trim()))}</p>\n\n`;

const decodeReferences = (url: string) => url.replace(/&(?:amp|#0?38);/g, "&");

const MEDIA_SHORTCODES = new Set(["video", "audio", "playlist", "gallery"]);

function replaceShortcodes(
  html: string,
  { findAttachmentUrl, listImageIds }: WordPressContext,
  unknownShortcodes: Set<string>,
): string {
  const closedNames = new Set(html.match(/(?<=\[\/)[a-z][a-z0-9_-]+(?=\])/g));
  const galleryImage = (id: string) => {
    const image = findAttachmentUrl(id.trim());
    return image
      ? `<p><img src="${escapeHtml(image.url)}" alt="${escapeHtml(image.alt)}"></p>`
      : "";
  };
  return html
    .replace(
      /\[caption([^\]]*)\]([\s\S]*?)\[\/caption\]/g,
      (_, attributes: string, inner: string) => {
        const image = /(?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*<\/a>)?/i.exec(inner)?.[0] ?? "";
        const caption = readAttributes(attributes).caption ?? inner.replace(image, "").trim();
        return `\n\n<figure>${image}<figcaption>${caption}</figcaption></figure>\n\n`;
      },
    )
    .replace(/\[gallery([^\]]*)\]/g, (whole, attributes: string) => {
      const ids = readAttributes(attributes).ids ?? readAttributes(attributes).include;
      const images = (ids?.split(",") ?? listImageIds()).map(galleryImage).join("\n\n").trim();
      return images === "" ? whole : `\n\n${images}\n\n`;
    })
    .replace(
      /\[(?:embed|youtube|vimeo|tweet)[^\]]*\]([^[\]]+)\[\/(?:embed|youtube|vimeo|tweet)\]/g,
      (_, url: string) => paragraphUrl(url),
    )
    .replace(/\[(?:youtube|vimeo|tweet|embed)[\s=]+([^\]]+)\]/g, (_, source: string) => {
      const attributes = readAttributes(source);
      return paragraphUrl(attributes[""] ?? attributes.src ?? attributes.url ?? source);
    })
    .replace(
      /\[(video|audio)([^\]]*)\](?:\s*\[\/\1\])?/g,
      (whole, name: string, source: string) => {
        const attributes = readAttributes(source);
        const url =
          attributes.src ??
          attributes.mp4 ??
          attributes.webm ??
          attributes.mp3 ??
          attributes.m4a ??
          attributes.ogg;
        return url
          ? `\n\n<${name} src="${escapeHtml(decodeReferences(url))}" controls></${name}>\n\n`
          : whole;
      },
    )
    .replace(
      /\[\/?([a-z][a-z0-9_-]+)(?:\s+[\w-]+=[^\]]*|\s*\/)?\]/g,
      (whole, name: string, offset: number, all: string) => {
        // "[note]" may be ordinary text: only a pair or attributes make it a shortcode.
        const isShortcode =
          MEDIA_SHORTCODES.has(name) || whole.includes("=") || closedNames.has(name);
        if (isShortcode && all[offset + whole.length] !== "(") unknownShortcodes.add(name);
        return whole;
      },
    );
}

const BLOCK_TAGS =
  "address|article|aside|audio|blockquote|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|iframe|li|main|nav|ol|p|pre|script|section|style|summary|table|tbody|td|tfoot|th|thead|tr|ul|video";
const STARTS_WITH_BLOCK = new RegExp(`^\\s*</?(?:${BLOCK_TAGS})\\b`, "i");
const BLOCK_BOUNDARY = new RegExp(`(</(?:${BLOCK_TAGS})>|<hr\\s*/?>)`, "gi");
const LINE_END_AT_BLOCK = new RegExp(
  `(</?(?:${BLOCK_TAGS})\\b[^<>]*>)\\s*<br>|<br>(?=\\s*</?(?:${BLOCK_TAGS})\\b)`,
  "gi",
);
const BLOCK_START = new RegExp(
  `(<(?:blockquote|div|dl|figure|h[1-6]|hr|ol|p|pre|table|ul)\\b)`,
  "gi",
);

/**
 * Does what WordPress's wpautop() does with a classic post: an empty line ends a paragraph, and a
 * line break stays a line break.
 */
function addParagraphs(html: string): string {
  return html
    .replace(/<[a-z][^<>]*>/gi, (tag) => tag.replace(/\n\s*/g, " "))
    .replace(BLOCK_START, "\n\n$1")
    .replace(BLOCK_BOUNDARY, "$1\n\n")
    .split(/\n\s*\n/)
    .map((chunk) => {
      const text = chunk.trim().replace(/(?:(?<!\s)\s+)?<br\s*\/?>\s*\n|\n/gi, "<br>\n");
      if (STARTS_WITH_BLOCK.test(text)) return text.replace(LINE_END_AT_BLOCK, "$1");
      return text === "" ? "" : `<p>${text}</p>`;
    })
    .join("\n\n");
}

/** The block editor stores the text of footnotes outside the content. */
function footnoteList(json: string | undefined): string {
  if (!json) return "";
  try {
    const notes = JSON.parse(json) as { id: string; content: string }[];
    return notes
      .map(
        ({ id, content }) =>
          `<div class="imported-footnote" data-footnote="${escapeHtml(id)}">${content}</div>`,
      )
      .join("");
  } catch {
    return "";
  }
}
