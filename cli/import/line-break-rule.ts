// Converts line breaks, except those that browsers don't show.

import type { HtmlRule } from "./html-rule.ts";

export const lineBreakRule: HtmlRule = {
  matches: (element) => element.nodeName === "BR",
  replace: (br) => {
    if (br.closest("code")) return "\n";
    return isBeforeLine(br) ? "\\\n" : "";
  },
};

/** Joins Markdown into one line, with its line breaks as `<br />`. */
export const joinLines = (markdown: string) =>
  markdown.replace(/\\\n/g, "<br />").replace(/\s*\n\s*/g, " ");

const BLOCK =
  /^(?:ARTICLE|ASIDE|AUDIO|BLOCKQUOTE|DETAILS|DIV|DL|FIGURE|H[1-6]|HR|IFRAME|LI|OL|P|PRE|SECTION|TABLE|TD|TH|UL|VIDEO)$/;

/** Returns whether a node becomes a block. So does the `<cite>` of a quote. */
const isBlock = ({ nodeName, parentNode }: Node) =>
  BLOCK.test(nodeName) || (nodeName === "CITE" && parentNode?.nodeName === "BLOCKQUOTE");

/** Caches isBeforeLine(), so that each run of breaks is scanned only once. */
const results = new WeakMap<Node, boolean>();

/** Returns whether the block continues. Browsers don't show a break at the end of a block. */
function isBeforeLine(br: Element): boolean {
  const known = results.get(br);
  if (known !== undefined) return known;
  const run: Node[] = [];
  for (let node: Node | null = br; node?.nodeName === "BR"; node = node.nextSibling) run.push(node);
  const result = continuesAfter(run.at(-1)!);
  for (const each of run) results.set(each, result);
  return result;
}

function continuesAfter(br: Node): boolean {
  for (let node: Node | null = br; node && !BLOCK.test(node.nodeName); node = node.parentNode)
    for (let next = node.nextSibling; next; next = next.nextSibling) {
      if (isBlock(next)) return false;
      if (next.nodeType === 3 && next.textContent?.trim()) return true;
      if (next.nodeType === 1 && !isBlank(next as Element)) return true;
    }
  return false;
}

const isBlank = (element: Element) =>
  element.nodeName !== "IMG" &&
  element.textContent?.trim() === "" &&
  element.getElementsByTagName("img").length === 0;
