// Defines how ordinary HTML elements become MDX, where Turndown's own rules are not enough.

import { playerPageUrl } from "#lib/posts/mdx/plugins/embeds.ts";
import { IMAGE_FILE } from "./asset-url.ts";
import type { Conversion, HtmlRule } from "./html-rule.ts";
import { formatInlineHtml, hasOnlyInlineHtml, isInlineHtml, keepHtml } from "./kept-html.ts";
import { joinLines, lineBreakRule } from "./line-break-rule.ts";
import {
  encodeMarkupCharacters,
  escapeText,
  escapeUrl,
  formatAttribute,
  formatTitle,
} from "./mdx-text.ts";
import { tableRule } from "./table-rule.ts";

const tagOf = (element: Element) => element.nodeName.toLowerCase();
export const hasClass = (element: Element, name: string) =>
  ` ${element.getAttribute("class") ?? ""} `.includes(` ${name} `);
export const isTag =
  (...names: string[]) =>
  (element: Element) =>
    names.includes(tagOf(element));
export const block = (content: string) => `\n\n${content.trim()}\n\n`;
export const plainText = (element: Element | null | undefined) =>
  (element?.textContent ?? "").replace(/\s+/g, " ").trim();

/** Returns the URL of an image, even if a script would load it later. */
function imageSource(image: Element): string {
  const lazy = ["data-orig-file", "data-src", "data-lazy-src"].map((name) =>
    image.getAttribute(name),
  );
  const link = image.parentNode?.nodeName === "A" ? (image.parentNode as Element) : null;
  const href = link?.getAttribute("href") ?? "";
  // A picture that links to a larger version of itself becomes that version.
  if (isOnlyImage(link) && IMAGE_FILE.test(href)) return href;
  return [...lazy, image.getAttribute("src")].find((each) => each?.trim()) ?? "";
}

const isOnlyImage = (link: Element | null) =>
  link !== null && plainText(link) === "" && link.getElementsByTagName("img").length === 1;

export function formatImage(
  image: Element,
  { resolveAsset }: Conversion,
  caption = image.getAttribute("title") ?? "",
): string {
  const source = imageSource(image);
  if (source === "" || isTrackingPixel(image)) return "";
  const alt = escapeText((image.getAttribute("alt") ?? "").replace(/\s+/g, " ").trim());
  return `![${alt}](${escapeUrl(resolveAsset(source))}${formatTitle(caption)})`;
}

const isTrackingPixel = (image: Element) =>
  image.getAttribute("width") === "1" && image.getAttribute("height") === "1";

/** A picture with a caption in plain text is an image with a title, which the site shows below. */
function formatFigure(figure: Element, content: string, conversion: Conversion): string {
  // The figures in a gallery have their own captions.
  const caption = Array.from(figure.getElementsByTagName("figcaption")).find(
    (each) => each.closest("figure") === figure,
  );
  const images = Array.from(figure.getElementsByTagName("img"));
  const [image] = images;
  const captionText = plainText(caption);
  if (captionText === "") return block(content);
  const hasMarkup = (caption?.getElementsByTagName("*").length ?? 0) > 0;
  const link = image?.parentNode as Element | undefined;
  const isPlainImage = link?.nodeName !== "A" || IMAGE_FILE.test(link.getAttribute("href") ?? "");
  if (
    images.length === 1 &&
    image &&
    !hasMarkup &&
    isPlainImage &&
    plainText(figure) === captionText
  )
    return block(formatImage(image, conversion, captionText));
  const captionMarkdown = joinLines(conversion.convert(caption!));
  return block(
    `<figure>\n\n${content.trim()}\n\n<figcaption>${captionMarkdown}</figcaption>\n\n</figure>`,
  );
}

function formatLink(link: Element, content: string, conversion: Conversion): string {
  const href = (link.getAttribute("href") ?? "").trim();
  // A line break at the end of a label would escape the closing bracket.
  const end = /(?=\\)(?<!\\\n\s*)(?:\\\n\s*)+$/.exec(content)?.[0] ?? "";
  const text = content.slice(0, content.length - end.length).trim();
  if (text === "") return "";
  if (isOnlyImage(link) && IMAGE_FILE.test(href)) return content;
  if (href === "" || /^(?:javascript|data|vbscript):/i.test(href)) return content;
  const target = conversion.isAsset(href)
    ? conversion.resolveAsset(href)
    : conversion.resolveLink(href);
  const paragraph = link.parentNode as Element | null;
  if (
    plainText(link) === href &&
    /^https?:/.test(target) &&
    paragraph?.nodeName === "P" &&
    plainText(paragraph) === href
  )
    return target;
  const label = text.replace(/^#{1,6} /gm, "").replace(/\n\s*\n/g, " ");
  return `[${label}](${escapeUrl(target)}${formatTitle(link.getAttribute("title") ?? "")})${end}`;
}

const LANGUAGE_CLASS = /(?:^|\s)(?:lang(?:uage)?-|brush:\s*|highlight-source-)([\w+#-]+)/i;

function formatCodeBlock(pre: Element): string {
  const code = pre.getElementsByTagName("code")[0];
  const classes = [code, pre, pre.parentNode as Element | null]
    .map((element) => element?.getAttribute?.("class") ?? "")
    .join(" ");
  const language = (LANGUAGE_CLASS.exec(classes)?.[1] ?? "").toLowerCase();
  for (const br of Array.from(pre.getElementsByTagName("br")))
    br.parentNode!.replaceChild(pre.ownerDocument.createTextNode("\n"), br);
  const text = (pre.textContent ?? "").replace(/^\n|\n+$/g, "");
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `\n\n${fence}${language === "plaintext" || language === "none" ? "" : language}\n${text}\n${fence}\n\n`;
}

/**
 * Returns the delimiters around the content, or tags where Markdown would not recognize delimiters.
 */
function formatEmphasis(element: Element, content: string, delimiter: string, tag: string): string {
  if (content.trim() === "") return content;
  const before = element.previousSibling?.textContent?.at(-1) ?? "";
  const after = element.nextSibling?.textContent?.[0] ?? "";
  const isLetter = /[\p{L}\p{N}]/u;
  const first = content.at(0) ?? "";
  const last = content.at(-1) ?? "";
  const isHidden =
    (isLetter.test(before) && !isLetter.test(first)) ||
    (isLetter.test(after) && !isLetter.test(last)) ||
    last === "\n" ||
    /^(?:B|DEL|EM|I|S|STRIKE|STRONG)$/.test(element.previousSibling?.nodeName ?? "");
  return isHidden ? `<${tag}>${content}</${tag}>` : `${delimiter}${content}${delimiter}`;
}

function formatListItem(item: Element, content: string): string {
  const list = item.parentNode as Element | null;
  const index = Array.from(list?.childNodes ?? [])
    .filter(({ nodeName }) => nodeName === "LI")
    .indexOf(item as ChildNode);
  const start = Number(list?.getAttribute("start") ?? "1") || 1;
  const marker = list?.nodeName === "OL" ? `${start + index}. ` : "- ";
  const indent = " ".repeat(marker.length);
  const checkbox = Array.from(item.childNodes).find(
    (child) => child.nodeName === "INPUT" && (child as Element).getAttribute("type") === "checkbox",
  ) as Element | undefined;
  const task = checkbox ? (checkbox.hasAttribute("checked") ? "[x] " : "[ ] ") : "";
  const text = content.replace(/^\n+|\n+$/g, "").replace(/\n(?!\n|$)/g, `\n${indent}`);
  return `${marker}${task}${text}${item.nextSibling ? "\n" : ""}`;
}

function formatFrame(frame: Element, conversion: Conversion): string {
  const source = frame.getAttribute("src") ?? frame.getAttribute("data-src") ?? "";
  const absolute = source.startsWith("//") ? `https:${source}` : source;
  const page = playerPageUrl(absolute) ?? spotifyPage(absolute);
  if (page !== null) return block(page);
  if (!/^https?:/.test(absolute) || !URL.canParse(absolute)) return "";
  conversion.warn(`an iframe of ${new URL(absolute).host} became a link`);
  return block(
    `[${escapeText(frame.getAttribute("title") || new URL(absolute).host)}](${escapeUrl(absolute)})`,
  );
}

const spotifyPage = (url: string) =>
  /^https:\/\/open\.spotify\.com\/embed(?:-podcast)?\//.test(url)
    ? url.replace(/embed(?:-podcast)?\//, "").replace(/\?.*$/, "")
    : null;

export function formatMedia(media: Element, { resolveAsset, warn }: Conversion): string {
  const tag = tagOf(media);
  const source =
    media.getAttribute("src") ?? media.getElementsByTagName("source")[0]?.getAttribute("src") ?? "";
  if (source === "") {
    warn(`a <${tag}> without a file was left out`);
    return "";
  }
  const poster = media.getAttribute("poster");
  const attributes = [
    formatAttribute("src", resolveAsset(source)),
    ...(poster && tag === "video" && !/^data:|spacergif/.test(poster)
      ? [formatAttribute("poster", resolveAsset(poster))]
      : []),
  ];
  return block(`<${tag} controls ${attributes.join(" ")}></${tag}>`);
}

export const blockQuote = (content: string) =>
  block(
    content
      .trim()
      .split("\n")
      .map((line) => `> ${line}`.trimEnd())
      .join("\n"),
  );

export function formatDetails(summary: string, content: string): string {
  return block(
    `<details>\n<summary>${joinLines(summary)}</summary>\n\n${content.trim()}\n\n</details>`,
  );
}

/** Escapes the label, because the site compares labels case-insensitively. */
export const footnoteReference = (label: string) => `[^${label.replace(/[^\w-]/g, "-")}]`;
export const footnoteDefinition = (label: string, content: string) =>
  block(`${footnoteReference(label)}: ${content.trim().replace(/\n(?!\n)/g, "\n    ")}`);

export const baseRules: readonly HtmlRule[] = [
  {
    matches: isTag("script"),
    replace: (script, _content, { warn }) => {
      const source = script.getAttribute("src") ?? "";
      const gist = /^(https:\/\/gist\.github\.com\/[\w-]+\/\w+)\.js/.exec(source)?.[1];
      if (gist) return block(gist);
      // Tweets come with this script; the link is enough here.
      if (!/platform\.(twitter|x|instagram)\.com|instagram\.com\/embed/.test(source))
        warn(`a script was left out${source ? `: ${source.slice(0, 100)}` : ""}`);
      return "";
    },
  },
  {
    matches: isTag("form", "select", "textarea", "object", "embed", "canvas", "svg"),
    replace: (element, _content, { warn }) => {
      if (!isIcon(element)) warn(`a <${tagOf(element)}> was left out`);
      return "";
    },
  },
  {
    matches: isTag("style", "noscript", "button", "template", "link", "meta", "input"),
    replace: () => "",
  },
  {
    matches: isTag("iframe"),
    replace: (frame, _content, conversion) => formatFrame(frame, conversion),
  },
  {
    matches: isTag("video", "audio"),
    replace: (media, _content, conversion) => formatMedia(media, conversion),
  },
  lineBreakRule,
  {
    matches: isTag("img"),
    replace: (image, _content, conversion) => formatImage(image, conversion),
  },
  {
    matches: (element) => isTag("figcaption")(element) && isInFigure(element),
    replace: () => "",
  },
  { matches: isTag("figure"), replace: formatFigure },
  { matches: isTag("pre"), replace: formatCodeBlock },
  { matches: isTag("a"), replace: formatLink },
  tableRule,
  {
    // In Markdown, the backticks of adjacent code would merge.
    matches: (element) => isTag("code")(element) && element.previousSibling?.nodeName === "CODE",
    replace: (code) => `<code>${encodeMarkupCharacters(code.textContent ?? "")}</code>`,
  },
  {
    matches: isTag("strong", "b"),
    replace: (element, content) => formatEmphasis(element, content, "**", "strong"),
  },
  {
    matches: isTag("em", "i"),
    replace: (element, content) => formatEmphasis(element, content, "*", "em"),
  },
  {
    matches: isTag("del", "s", "strike"),
    replace: (element, content) => formatEmphasis(element, content, "~~", "del"),
  },
  { matches: isTag("li"), replace: formatListItem },
  {
    matches: isTag("h1", "h2", "h3", "h4", "h5", "h6"),
    replace: (heading, content) => {
      const line = content.replace(/\\?\s*\n\s*/g, " ").trim();
      return line === "" ? "" : block(`${"#".repeat(Number(heading.nodeName[1]))} ${line}`);
    },
  },
  {
    matches: isTag("details"),
    replace: (details, content, { convert }) => {
      const summary = details.getElementsByTagName("summary")[0];
      return formatDetails(summary ? convert(summary) : "Details", content);
    },
  },
  { matches: isTag("summary"), replace: () => "" },
  { matches: isTag("blockquote"), replace: (_quote, content) => blockQuote(content) },
  {
    matches: (element) => isTag("cite")(element) && element.parentNode?.nodeName === "BLOCKQUOTE",
    replace: (_element, content) => block(`— ${content.trim()}`),
  },
  {
    matches: isTag("dl"),
    replace: (list, _content, conversion) => block(keepHtml(list, conversion)),
  },
  {
    matches: isInlineHtml,
    replace: (element, content) =>
      content.trim() === "" ? content : formatInlineHtml(element, content),
  },
  {
    // MDX would remove a paragraph that contains only elements.
    matches: (element) => isTag("p")(element) && hasOnlyInlineHtml(element),
    replace: (_paragraph, content) => block(content.trim() && `<p>${content.trim()}</p>`),
  },
];

/** Buttons and players of cards have icons. */
function isIcon(element: Element): boolean {
  return (
    element.nodeName.toLowerCase() === "svg" && element.closest("button, a, .kg-card") !== null
  );
}

function isInFigure(element: Element): boolean {
  for (let parent = element.parentNode; parent; parent = parent.parentNode)
    if (parent.nodeName === "FIGURE") return true;
  return false;
}
