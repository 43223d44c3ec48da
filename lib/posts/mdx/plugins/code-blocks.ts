// Renders code fences as highlighted HTML at compile time, and Mermaid diagrams as SVG.

import type { Code, Root as MarkdownRoot } from "mdast";
import { visit } from "unist-util-visit";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { escapeHtml } from "#lib/core/escape-html.ts";
import {
  classesOf,
  isBlank,
  isElement,
  replaceNodes,
  type Element,
  type Node,
  type RawHtml,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { parseCodeMeta, type CodeMeta } from "./code-meta.ts";
import { readCodeNotation } from "./code-notation.ts";
import { drawDiagram } from "./diagrams.ts";
import { highlightLines, plainLines, type CodeToken } from "./highlighter.ts";
import { getTextContent } from "./plain-text.ts";

/** Passes the info string after ``` to the HTML tree. */
export function preserveCodeInfo(tree: MarkdownRoot): void {
  visit(tree, "code", (node: Code) => {
    const info = [node.lang, node.meta].filter(Boolean).join(" ");
    // A property, not `data`, which is lost when raw HTML is parsed.
    node.data = { ...node.data, hProperties: { dataInfo: info } };
  });
}

/** Replaces every code block with a figure of raw HTML. */
export async function renderCodeBlocks(tree: Root, context: CompileContext): Promise<void> {
  const blocks: { pre: Element; code: Element; parent: { children: Node[] } }[] = [];
  replaceNodes(tree, (node, ancestors) => {
    if (!isElement(node, "pre")) return undefined;
    const [code, ...others] = node.children.filter((child) => !isBlank(child));
    if (
      others.length === 0 &&
      isElement(code, "code") &&
      code.children.every((child) => child.type === "text")
    )
      blocks.push({ pre: node, code, parent: ancestors.at(-1)! });
    else node.properties.tabIndex = 0; // it may scroll horizontally
    return undefined;
  });
  for (const { pre, code, parent } of blocks)
    parent.children[parent.children.indexOf(pre)] = await renderCodeBlock(pre, code, context);
}

async function renderCodeBlock(
  pre: Element,
  code: Element,
  context: CompileContext,
): Promise<RawHtml> {
  const language =
    classesOf(code)
      .find((name) => name.startsWith("language-"))
      ?.slice("language-".length) ?? "";
  const info = typeof code.properties.dataInfo === "string" ? code.properties.dataInfo : language;
  const meta = parseCodeMeta(info);
  for (const problem of meta.problems) context.warn(pre, problem);
  const source = getTextContent(code).replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const notation = readCodeNotation(source);
  const diff = meta.isDiff ? parseDiffMarks(notation.code) : null;
  const value = diff?.code ?? notation.code;
  const isMarked = (mark: "added" | "removed", line: number) =>
    notation[mark].has(line) || diff?.[mark].has(line) === true;
  if (meta.language === "mermaid") {
    try {
      const figure = await renderDiagram(value, meta, context);
      // Without text, because search excerpts would show the names of nodes.
      return { type: "raw", value: figure, text: "", position: pre.position };
    } catch (error) {
      const reason = (error as Error).message.slice(0, 200);
      context.warn(pre, `the Mermaid diagram could not be drawn: ${reason}; its source is shown`);
    }
  }
  let lines: CodeToken[][] | null = null;
  try {
    lines = await highlightLines(value, meta.language);
    if (lines === null)
      context.warn(
        pre,
        `the language "${meta.language}" is unknown; the code is shown without colors`,
      );
  } catch (error) {
    context.warn(
      pre,
      `the code could not be highlighted: ${(error as Error).message.slice(0, 200)}`,
    );
  }
  const html = renderFigure(lines ?? plainLines(value), {
    ...meta,
    isAdded: (line) => meta.isAdded(line) || isMarked("added", line),
    isRemoved: (line) => meta.isRemoved(line) || isMarked("removed", line),
    isHighlighted: (line) => meta.isHighlighted(line) || notation.highlighted.has(line),
  });
  return { type: "raw", value: html, text: value, position: pre.position };
}

function renderFigure(lines: CodeToken[][], meta: CodeMeta): string {
  const rows = lines.map((pieces, index) => {
    const line = index + 1;
    const mark = meta.isAdded(line)
      ? " added"
      : meta.isRemoved(line)
        ? " removed"
        : meta.isHighlighted(line)
          ? " highlighted"
          : "";
    const inner = pieces
      .map((piece) =>
        piece.className
          ? `<span class="${piece.className}">${escapeHtml(piece.text)}</span>`
          : escapeHtml(piece.text),
      )
      .join("");
    return `<span class="line${mark}">${inner}</span>`;
  });
  const isNumbered = meta.isNumbered && (lines.length > 1 || meta.start !== 1);
  const counter =
    isNumbered && meta.start !== 1 ? ` style="counter-reset:line ${meta.start - 1}"` : "";
  const language = escapeHtml(meta.language);
  return (
    `<figure class="code"${language && ` data-language="${language}"`}>${renderTitle(meta.filename)}` +
    `<pre class="code-pre${isNumbered ? " numbered" : ""}" tabindex="0"><code${language && ` class="language-${language}"`}${counter}>${rows.join("\n")}</code></pre>${renderTools(lines.map((pieces) => pieces.map(({ text }) => text).join("")))}</figure>`
  );
}

/** Renders a Mermaid diagram. Throws an Error if it can't be drawn. */
async function renderDiagram(
  source: string,
  meta: CodeMeta,
  context: CompileContext,
): Promise<string> {
  context.diagramCount += 1;
  const svg = await drawDiagram(source, `diagram-${context.diagramCount}-`);
  return `<figure class="diagram" tabindex="0">${svg}${renderTitle(meta.filename)}</figure>`;
}

/** Lines with more characters than this don't fit on a phone. */
const FITTING_LENGTH = 38;

/** Renders the buttons to copy the code, and to wrap it if it has long lines. */
function renderTools(lines: readonly string[]): string {
  const wrap = lines.some((line) => line.length > FITTING_LENGTH)
    ? '<button type="button" data-wrap aria-label="Wrap long lines" aria-pressed="false">Wrap</button>'
    : "";
  return `<div class="code-tools">${wrap}<button type="button" data-copy="code" aria-label="Copy code">Copy</button></div>`;
}

const renderTitle = (name: string | null) =>
  name ? `<figcaption class="code-title">${escapeHtml(name)}</figcaption>` : "";

/** Parses `diff-js`: removes the first column, which marks added and removed lines. */
function parseDiffMarks(value: string): { code: string; added: Set<number>; removed: Set<number> } {
  const added = new Set<number>();
  const removed = new Set<number>();
  const code = value.split("\n").map((text, index) => {
    if (text.startsWith("+")) added.add(index + 1);
    else if (text.startsWith("-")) removed.add(index + 1);
    else if (!text.startsWith(" ")) return text;
    return text.slice(1);
  });
  return { code: code.join("\n"), added, removed };
}
