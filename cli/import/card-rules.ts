// Defines how the cards, blocks and widgets of Ghost, WordPress and Substack become MDX.

import type { HtmlRule } from "./html-rule.ts";
import {
  block,
  blockQuote,
  footnoteDefinition,
  footnoteReference,
  formatDetails,
  formatMedia,
  hasClass,
  isTag,
  plainText,
} from "./html-rules.ts";
import { escapeText, escapeUrl } from "./mdx-text.ts";

const withClass =
  (...names: string[]) =>
  (element: Element) =>
    names.some((name) => hasClass(element, name));
const find = (element: Element, selector: string) => element.querySelector(selector);

/** Substack stores a widget's data as JSON in an attribute. */
function readDataAttributes(element: Element): Record<string, unknown> {
  try {
    return JSON.parse(element.getAttribute("data-attrs") ?? "{}") as Record<string, unknown>;
  } catch {
    return {};
  }
}

const embed = (url: unknown) =>
  typeof url === "string" && /^https?:\/\//.test(url) && URL.canParse(url)
    ? block(new URL(url).href)
    : "";

/** Maps Ghost's callout colors to GitHub's alerts. */
const ALERTS: Record<string, string> = { green: "TIP", yellow: "WARNING", red: "CAUTION" };

const ghostRules: HtmlRule[] = [
  {
    matches: withClass("kg-bookmark-card"),
    replace: (card) => embed(find(card, "a")?.getAttribute("href")),
  },
  {
    matches: withClass("kg-callout-card"),
    replace: (card, content, { convert }) => {
      const color = /kg-callout-card-(\w+)/.exec(card.getAttribute("class") ?? "")?.[1] ?? "";
      const emoji = plainText(find(card, ".kg-callout-emoji"));
      const body = find(card, ".kg-callout-text");
      const text = `${emoji ? `${emoji} ` : ""}${body ? convert(body) : content.trim()}`;
      return blockQuote(`[!${ALERTS[color] ?? "NOTE"}]\n${text}`);
    },
  },
  {
    matches: withClass("kg-toggle-card"),
    replace: (card, content, { convert }) => {
      const heading = find(card, ".kg-toggle-heading-text");
      const body = find(card, ".kg-toggle-content");
      return formatDetails(heading ? convert(heading) : "Details", body ? convert(body) : content);
    },
  },
  {
    matches: withClass("kg-video-card", "kg-audio-card"),
    replace: (card, _content, conversion) => {
      const media = find(card, "video, audio");
      const caption = find(card, "figcaption") ?? find(card, ".kg-audio-title");
      if (!media) return "";
      const text = caption ? conversion.convert(caption) : "";
      return `${formatMedia(media, conversion)}${text ? block(text) : ""}`;
    },
  },
  {
    matches: withClass("kg-file-card"),
    replace: (card, _content, { isAsset, resolveAsset, resolveLink }) => {
      const href = find(card, "a")?.getAttribute("href") ?? "";
      const title = plainText(find(card, ".kg-file-card-title")) || href.split("/").at(-1)!;
      const target = isAsset(href) ? resolveAsset(href) : resolveLink(href);
      return block(`[${escapeText(title)}](${escapeUrl(target)})`);
    },
  },
  {
    matches: withClass("kg-signup-card", "kg-email-card", "kg-cta-card"),
    replace: (_card, _content, { warn }) => {
      warn("a sign-up card was left out");
      return "";
    },
  },
  {
    matches: withClass("kg-html-card"),
    // Its elements follow the same rules as any other; blocks without a rule keep only their text.
    replace: (_card, content) => block(content),
  },
];

const wordPressRules: HtmlRule[] = [
  { matches: withClass("wp-block-file__button", "wp-block-spacer"), replace: () => "" },
  {
    matches: (element) => isTag("sup")(element) && element.hasAttribute("data-fn"),
    replace: (element) => footnoteReference(element.getAttribute("data-fn")!),
  },
  {
    matches: withClass("imported-footnote"),
    replace: (note, content) => footnoteDefinition(note.getAttribute("data-footnote")!, content),
  },
  {
    matches: withClass("wp-block-pullquote", "pullquote"),
    replace: (element, content, { convert }) => {
      const quote = find(element, "blockquote");
      const text = quote ? convert(quote) : content.trim();
      return blockQuote(text);
    },
  },
  {
    // Tweets and posts of other networks are quotes with a link to themselves at the end.
    matches: withClass("twitter-tweet", "instagram-media", "tiktok-embed", "mastodon-embed"),
    replace: (quote, content) => {
      const links = Array.from(quote.getElementsByTagName("a")).map((link) =>
        link.getAttribute("href"),
      );
      const url =
        quote.getAttribute("data-instgrm-permalink") ?? quote.getAttribute("cite") ?? links.at(-1);
      return embed(url?.replace(/\?.*$/, "")) || block(content);
    },
  },
];

const substackRules: HtmlRule[] = [
  {
    matches: withClass(
      "subscription-widget-wrap",
      "subscription-widget-wrap-editor",
      "subscribe-widget",
      "paywall-jump",
      "image-link-expand",
      "poll-embed",
      "community-chat",
      "install-substack-app-embed",
      // A hint to the writer, above a poem.
      "hide-text",
    ),
    replace: () => "",
  },
  {
    matches: withClass("native-video-embed", "native-audio-embed"),
    replace: (element, _content, { warn }) => {
      const kind = hasClass(element, "native-video-embed") ? "video" : "audio file";
      warn(`an uploaded ${kind} was left out. Download it from Substack`);
      return "";
    },
  },
  {
    matches: withClass("button-wrapper"),
    replace: (wrapper, content) => {
      const url = String(
        readDataAttributes(wrapper).url ?? find(wrapper, "a")?.getAttribute("href"),
      );
      // Subscribe, share and comment belong to Substack; other buttons are the writer's own links.
      return /%%|\/subscribe\b|action=share|\/comments\b|\bgift=true/.test(url)
        ? ""
        : block(content);
    },
  },
  {
    matches: (element) =>
      withClass("youtube-wrap")(element) || /^youtube2-/.test(element.getAttribute("id") ?? ""),
    replace: (element) => {
      const { videoId } = readDataAttributes(element);
      return embed(`https://www.youtube.com/watch?v=${encodeURIComponent(String(videoId))}`);
    },
  },
  {
    matches: withClass("vimeo-wrap"),
    replace: (element) =>
      embed(`https://vimeo.com/${encodeURIComponent(String(readDataAttributes(element).videoId))}`),
  },
  {
    matches: withClass(
      "tweet",
      "embedded-post-wrap",
      "embedded-publication-wrap",
      "digest-post-embed",
      "spotify-wrap",
      "soundcloud-wrap",
      "apple-podcast-container",
      "instagram",
      "tiktok-wrap",
      "github-gist",
    ),
    replace: (element, content) => {
      const { url, canonical_url, innerHTML } = readDataAttributes(element);
      const gist = /https:\/\/gist\.github\.com\/[\w-]+\/\w+/.exec(String(innerHTML ?? ""))?.[0];
      return embed(url ?? canonical_url ?? gist) || block(content);
    },
  },
  {
    matches: withClass("image-gallery-embed"),
    replace: (element, _content, { resolveAsset }) => {
      const { gallery } = readDataAttributes(element) as {
        gallery?: { images?: { src?: string }[]; alt?: string; caption?: string };
      };
      const images = (gallery?.images ?? []).flatMap(({ src }) => src ?? []);
      return block(
        [
          ...images.map(
            (src) => `![${escapeText(gallery?.alt ?? "")}](${escapeUrl(resolveAsset(src))})`,
          ),
          escapeText(gallery?.caption ?? ""),
        ].join("\n\n"),
      );
    },
  },
  {
    matches: withClass("latex-rendered"),
    replace: (element, content) => {
      const formula = readDataAttributes(element).persistentExpression;
      return typeof formula === "string" ? block(`$$\n${formula.trim()}\n$$`) : content;
    },
  },
  {
    matches: withClass("mention-wrap"),
    replace: (element, content) =>
      content.trim() || escapeText(String(readDataAttributes(element).name ?? "")),
  },
  {
    // On Substack, a script fills these elements, for example with a tweet.
    matches: (element) =>
      isTag("div")(element) &&
      element.hasAttribute("data-attrs") &&
      plainText(element) === "" &&
      !find(element, "img, iframe, video, audio"),
    replace: (element, _content, { warn }) => {
      const link = embed(readDataAttributes(element).url);
      if (!link) warn(`an empty "${element.getAttribute("class") ?? "div"}" was left out`);
      return link;
    },
  },
];

/** Footnotes from Substack, and from the Markdown that Ghost renders. */
const footnoteRules: HtmlRule[] = [
  {
    matches: withClass("footnote-anchor"),
    replace: (anchor) => footnoteReference(plainText(anchor)),
  },
  {
    matches: withClass("footnote"),
    replace: (note, content, { convert }) => {
      const number = plainText(find(note, ".footnote-number"));
      const body = find(note, ".footnote-content");
      return footnoteDefinition(number, body ? convert(body) : content);
    },
  },
  {
    matches: withClass("footnote-ref"),
    replace: (reference, content) => {
      const id = /#fn-?([\w-]+)/.exec(find(reference, "a")?.getAttribute("href") ?? "")?.[1];
      return id ? footnoteReference(id) : content;
    },
  },
  { matches: withClass("footnote-backref", "footnotes-sep"), replace: () => "" },
  {
    matches: (element) =>
      isTag("li")(element) &&
      (element.parentNode?.parentNode as Element | null)?.getAttribute?.("class") === "footnotes",
    replace: (item, content) =>
      footnoteDefinition(/^fn-?([\w-]+)$/.exec(item.getAttribute("id") ?? "")?.[1] ?? "1", content),
  },
];

export const cardRules: readonly HtmlRule[] = [
  ...footnoteRules,
  ...ghostRules,
  ...wordPressRules,
  ...substackRules,
];
