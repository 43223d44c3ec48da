// Renders the HTML of a feed as plain text, for emails: Markdown that reads well.

import type { Element, ElementContent, RootContent } from "hast";
import { fromHtml } from "hast-util-from-html";

type Node = RootContent | ElementContent;

const indent = (text: string, first: string, rest: string) =>
  first + text.replaceAll("\n", `\n${rest}`);

function renderInline(node: Node): string {
  if (node.type === "text") return node.value.replace(/\s+/g, " ");
  if (node.type !== "element") return "";
  const text = node.children.map(renderInline).join("");
  const { href, alt, src } = node.properties;
  switch (node.tagName) {
    case "a":
      // A footnote's link leads nowhere in an email.
      if (typeof href !== "string" || href === text || href.startsWith("#")) return text;
      return text.trim() === "" ? href : `${text} (${href})`;
    case "br":
      return "\n";
    case "code":
      return `\`${text}\``;
    case "img":
      return typeof alt === "string" && alt !== "" ? `[${alt}]` : "";
    case "video":
    case "audio":
    case "source":
      return typeof src === "string" ? `${src} ` : text;
    case "semantics":
      // MathML has the formula twice; the last child is the TeX.
      return node.children.slice(-1).map(renderInline).join("");
    default:
      return text;
  }
}

const trimLines = (text: string) => text.replace(/ *\n */g, "\n").trim();

const rawText = (node: Node): string =>
  node.type === "text"
    ? node.value
    : node.type === "element"
      ? node.children.map(rawText).join("")
      : "";

function renderList(list: Element): string {
  const items = list.children.filter(
    (child): child is Element => child.type === "element" && child.tagName === "li",
  );
  const start = Number(list.properties.start ?? 1);
  return items
    .map((item, index) => {
      const marker = list.tagName === "ol" ? `${start + index}. ` : "- ";
      return indent(renderBlocks(item.children, "\n"), marker, " ".repeat(marker.length));
    })
    .join("\n");
}

function renderTable(table: Element): string {
  const rows: string[] = [];
  const visit = (element: Element): void => {
    const elements = element.children.filter((child): child is Element => child.type === "element");
    if (element.tagName === "tr")
      rows.push(elements.map((cell) => renderInline(cell).replace(/\s+/g, " ").trim()).join(" | "));
    else elements.forEach(visit);
  };
  visit(table);
  return rows.join("\n");
}

const BLOCKS: Record<string, (element: Element) => string> = {
  pre: (element) => indent(rawText(element).replace(/\n$/, ""), "    ", "    "),
  ul: renderList,
  ol: renderList,
  table: renderTable,
  hr: () => "* * *",
  blockquote: ({ children }) => indent(renderBlocks(children, "\n\n"), "> ", "> "),
};
for (let level = 1; level <= 6; level += 1)
  BLOCKS[`h${level}`] = (element) =>
    `${"#".repeat(level)} ${rawText(element).replace(/\s+/g, " ").trim()}`;
for (const tagName of ["p", "dt", "dd", "figcaption", "summary"])
  BLOCKS[tagName] = (element) => trimLines(renderInline(element));
const CONTAINERS = new Set(
  "div section article aside header footer main nav figure details dl hgroup".split(" "),
);

/** Renders blocks, and the inline nodes between them as paragraphs. */
function renderBlocks(nodes: readonly Node[], separator: string): string {
  const blocks: string[] = [];
  let line = "";
  const endLine = () => {
    blocks.push(trimLines(line));
    line = "";
  };
  for (const node of nodes) {
    if (node.type !== "element" || !(node.tagName in BLOCKS || CONTAINERS.has(node.tagName))) {
      line += renderInline(node);
      continue;
    }
    endLine();
    blocks.push(BLOCKS[node.tagName]?.(node) ?? renderBlocks(node.children, separator));
  }
  endLine();
  return blocks.filter((block) => block.trim() !== "").join(separator);
}

/** Returns `html` as text, with links in parentheses. */
export const htmlToText = (html: string): string =>
  renderBlocks(fromHtml(html, { fragment: true }).children, "\n\n");
