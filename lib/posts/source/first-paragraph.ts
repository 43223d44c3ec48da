// Takes a description from a post's text: the first paragraph of prose, as plain text.

import { truncateAtWord } from "#lib/core/truncate-at-word.ts";

/** About two lines of a search result. */
const MAX_CHARS = 200;
/** Prose that starts later doesn't describe the post. */
const MAX_SEARCHED_CHARS = 20_000;

/** Bounds the time of the patterns below on hostile text. */
const MAX_PARAGRAPH_CHARS = 2_000;

const FENCE = /^ {0,3}(`{3,}|~{3,}|\$\$)/;
/** Headings, quotes, lists, tables, HTML, JSX, ESM, expressions, definitions, directives, code. */
const NOT_PROSE =
  /^(?: {4}|\t| {0,3}(?:#{1,6}\s|>|[-*+]\s|\d+[.)]\s|\||<|\{|:::|\[[^\]]+\]:|(?:[-*_]\s*){3,}$|(?:import|export)[\s{*'"]))/;

/** Returns the first paragraph of Markdown or MDX, at most 200 characters, or "". */
export function findFirstParagraph(body: string): string {
  for (const block of listBlocks(body.slice(0, MAX_SEARCHED_CHARS))) {
    const [first = "", second = ""] = block;
    if (NOT_PROSE.test(first) || /^ {0,3}(?:=+|-+)\s*$/.test(second)) continue;
    const text = toPlainText(block.join(" ").slice(0, MAX_PARAGRAPH_CHARS));
    if (/[\p{L}\p{N}]/u.test(text)) return truncateAtWord(text, MAX_CHARS);
  }
  return "";
}

/** Returns the lines between empty lines, without fenced code. */
function listBlocks(text: string): string[][] {
  const blocks: string[][] = [[]];
  let fence: string | null = null;
  for (const line of text.replace(/<!--[\s\S]*?-->/g, "").split(/\r?\n/)) {
    const marker = FENCE.exec(line)?.[1];
    if (fence !== null) {
      if (marker?.startsWith(fence)) fence = null;
    } else if (marker) {
      fence = marker;
      blocks.push([]);
    } else if (line.trim() === "") blocks.push([]);
    else blocks.at(-1)!.push(line);
  }
  return blocks.filter((block) => block.length > 0);
}

const CODE_SPAN = /(?<!`)``(?!`)(.+?)(?<!`)``(?!`)|(?<!`)`([^`]+)`(?!`)/g;
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

function toPlainText(markdown: string): string {
  const codes: string[] = [];
  return markdown
    .replace(CODE_SPAN, (_, double?: string, single?: string) => {
      return `\0${codes.push((double ?? single ?? "").trim()) - 1}\0`;
    })
    .replace(/!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])/g, "")
    .replace(/\[\^[^\]]+\]/g, "")
    .replace(/\[([^\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])/g, "$1")
    .replace(/<(https?:[^>\s]+|[^>\s@]+@[^>\s]+)>/g, "$1")
    .replace(/<\/?[A-Za-z][^>]*>/g, "")
    .replace(/\{[^}]*\}/g, "")
    .replace(/(?<![\p{L}\p{N}\\])(\*{1,3}|_{1,3}|~~)(?=\S)(.*?\S)\1(?![\p{L}\p{N}])/gu, "$2")
    .replace(/\*\*|~~/g, "")
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(/&(amp|lt|gt|quot|nbsp);/g, (_, name: string) => ENTITIES[name]!)
    .replace(/\0(\d+)\0/g, (_, index: string) => codes[Number(index)] ?? "")
    .replace(/\s+/g, " ")
    .trim();
}
