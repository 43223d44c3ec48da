// Code fences become coloured HTML at compile time; a diagram's source stays readable as what it is.

import type { Code, Root as MarkdownRoot } from "mdast";
import { visit } from "unist-util-visit";
import type { Draft } from "../draft.ts";
import { escapeHtml } from "../../base/html.ts";
import {
  classesOf,
  isElement,
  rewrite,
  type Element,
  type Node,
  type Raw,
  type Root,
} from "../tree.ts";
import { parseCodeMeta, type CodeMeta } from "./code-meta.ts";
import { highlightLines, plainLines, type Piece } from "./highlighter.ts";
import { textOf } from "./plain-text.ts";

/** Keeps what stands after ``` with the code on its way into HTML. */
export function keepCodeInfo(tree: MarkdownRoot): void {
  visit(tree, "code", (node: Code) => {
    const info = [node.lang, node.meta].filter(Boolean).join(" ");
    // A property and not `data`: that one is lost where raw HTML is parsed.
    node.data = { ...node.data, hProperties: { dataInfo: info } };
  });
}

/** Replaces every code block by a figure of ready HTML. */
export async function writeCode(tree: Root, draft: Draft): Promise<void> {
  const blocks: { pre: Element; code: Element; parent: { children: Node[] } }[] = [];
  rewrite(tree, (node, ancestors) => {
    if (!isElement(node, "pre")) return undefined;
    const [code] = node.children.filter(
      (child) => child.type !== "text" || child.value.trim() !== "",
    );
    if (isElement(code, "code") && code.children.every((child) => child.type === "text"))
      blocks.push({ pre: node, code, parent: ancestors.at(-1)! });
    else node.properties.tabIndex = 0; // it may scroll sideways
    return undefined;
  });
  for (const { pre, code, parent } of blocks)
    parent.children[parent.children.indexOf(pre)] = await block(pre, code, draft);
}

async function block(pre: Element, code: Element, draft: Draft): Promise<Raw> {
  const language =
    classesOf(code)
      .find((name) => name.startsWith("language-"))
      ?.slice("language-".length) ?? "";
  const info = typeof code.properties.dataInfo === "string" ? code.properties.dataInfo : language;
  const meta = parseCodeMeta(info);
  for (const problem of meta.problems) draft.warn(pre, problem);
  let value = textOf(code).replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const marks = meta.diff ? diffMarks(value) : null;
  if (marks) value = marks.code;
  if (meta.language === "mermaid")
    return { type: "raw", value: diagram(value, meta), text: value, position: pre.position };
  let lines: Piece[][] | null = null;
  try {
    lines = await highlightLines(value, meta.language);
    if (lines === null)
      draft.warn(pre, `the language "${meta.language}" is not known: shown without colours`);
  } catch (error) {
    draft.warn(pre, `the code could not be coloured: ${(error as Error).message.slice(0, 200)}`);
  }
  const html = figure(lines ?? plainLines(value), {
    ...meta,
    added: (line) => meta.added(line) || marks?.added.has(line) === true,
    removed: (line) => meta.removed(line) || marks?.removed.has(line) === true,
  });
  return { type: "raw", value: html, text: value, position: pre.position };
}

function figure(lines: Piece[][], meta: CodeMeta): string {
  const rows = lines.map((pieces, index) => {
    const line = index + 1;
    const mark = meta.added(line)
      ? " added"
      : meta.removed(line)
        ? " removed"
        : meta.highlighted(line)
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
  const numbered = meta.numbered && (lines.length > 1 || meta.start !== 1);
  const counter =
    numbered && meta.start !== 1 ? ` style="counter-reset:line ${meta.start - 1}"` : "";
  const language = escapeHtml(meta.language);
  return (
    `<figure class="code"${language && ` data-language="${language}"`}>${title(meta.filename)}` +
    `<pre class="code-pre${numbered ? " numbered" : ""}" tabindex="0"><code${language && ` class="language-${language}"`}${counter}>${rows.join("\n")}</code></pre>${copyButton}</figure>`
  );
}

/** The source of a Mermaid diagram; drawing it would need a browser at compile time. */
function diagram(source: string, meta: CodeMeta): string {
  return (
    `<figure class="code diagram" data-language="mermaid">${title(meta.filename ?? "Diagram, as Mermaid source")}` +
    `<pre class="code-pre" tabindex="0"><code class="language-mermaid">${escapeHtml(source)}</code></pre>${copyButton}</figure>`
  );
}

const copyButton =
  '<button type="button" class="copy" data-copy="code" aria-label="Copy code">Copy</button>';
const title = (name: string | null) =>
  name ? `<figcaption class="code-title">${escapeHtml(name)}</figcaption>` : "";

/** `diff-js`: the first column says what happened to a line; it leaves the code. */
function diffMarks(value: string): { code: string; added: Set<number>; removed: Set<number> } {
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
