// Writes the text of a post: front matter and MDX.

import { stringify } from "yaml";
import { truncateAtWord } from "#lib/core/truncate-at-word.ts";
import type { ExportedPost } from "./exported-site.ts";
import { htmlToPlainText } from "./plain-text.ts";

interface PostFileParts {
  readonly post: ExportedPost;
  readonly aliases: readonly string[];
  readonly body: string;
  /** "./banner.jpg", or the URL of a banner that could not be downloaded. */
  readonly banner: string | null;
}

const MAX_TITLE = 200;
const MAX_DESCRIPTION = 600;
/** Maximum length of a description that is taken from the start of the text. */
const EXCERPT_CHARS = 200;
const MAX_WORD = 60;
const MAX_WORDS = 30;

/** Returns the file's text. Fields without a value are left out. */
export function formatPostFile({ post, aliases, body, banner }: PostFileParts): string {
  const title = truncateAtWord(oneLine(post.title), MAX_TITLE) || "Untitled";
  const description =
    truncateAtWord(oneLine(post.description), MAX_DESCRIPTION) ||
    truncateAtWord(firstParagraph(post.html), EXCERPT_CHARS) ||
    title;
  const fields = {
    title,
    ...(post.date && { date: post.date }),
    ...(post.updated && post.updated > post.date && { updated: post.updated }),
    description,
    ...wordList("categories", post.categories),
    ...wordList("keywords", post.keywords),
    ...(banner && { banner }),
    ...(banner && post.banner?.alt && { bannerAlt: oneLine(post.banner.alt) }),
    ...(banner && post.banner?.credit && { bannerCredit: htmlToPlainText(post.banner.credit) }),
    ...(post.isDraft && { draft: true }),
    ...(aliases.length > 0 && { aliases }),
  };
  return `---\n${stringify(fields, { lineWidth: 0 })}---\n\n${body}`;
}

const oneLine = (text: string) =>
  text
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f\s]+/g, " ")
    .trim();

function wordList(name: string, words: readonly string[]): Record<string, string[]> {
  const unique = [...new Set(words.map((word) => truncateAtWord(oneLine(word), MAX_WORD)))].filter(
    Boolean,
  );
  return unique.length > 0 ? { [name]: unique.slice(0, MAX_WORDS) } : {};
}

function firstParagraph(html: string): string {
  for (const [, inner] of html.matchAll(/<p\b[^>]*>([\s\S]*?)<\/p>/gi)) {
    const text = oneLine(htmlToPlainText(inner!));
    if (text !== "" && !/^https?:\S+$/.test(text)) return text;
  }
  return "";
}
