// Rejects HTML that browsers would parse into different elements than those that were checked
// (mutation XSS), and reports its line.

import { fromHtml } from "hast-util-from-html";
import { toHtml } from "hast-util-to-html";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import type { Element, Node } from "#lib/posts/mdx/mdx-tree.ts";

type Space = "html" | "svg";
/** Each served start tag, with the element that it was written for. */
type StartTags = Map<string, Element | undefined>;

/** The content of these SVG elements is HTML. */
const htmlIntegrationPoints = new Set(["desc", "title"]);
/** Where the HTML is parsed. Inside SVG and MathML, other rules apply. */
export type Surroundings = "html" | "any";
const wrappersBySurroundings = { html: ["div"], any: ["div", "svg", "math"] } as const;
/**
 * A start tag added after the HTML. Posts can't contain it, because it is not an allowed element.
 */
const END = "<lectern-end>";

/**
 * Parses `html` like a browser. Throws PostError if a browser would find a start tag that was not
 * written for an element of `nodes`, or would treat the HTML that follows `html` as part of it.
 */
export function assertServedHtml(
  html: string,
  nodes: readonly Node[],
  surroundings: Surroundings,
  context: CompileContext,
): void {
  const written: StartTags = new Map([[END, undefined]]);
  for (const node of nodes) addStartTags(node, "html", written);
  for (const wrapper of wrappersBySurroundings[surroundings]) {
    const [, ...tags] = parseStartTags(`<${wrapper}>${html}${END}`);
    const unexpected = tags.find((tag) => !written.has(tag)) ?? (tags.includes(END) ? null : "<");
    if (unexpected === null) continue;
    // Quotes in an attribute are escaped, so the text before the first quote finds its element.
    const start = unexpected.split('"')[0]!;
    const source = [...written].find(([tag]) => tag.includes(start, 1))?.[1];
    context.fail(
      source ?? nodes.find(({ position }) => position),
      "browsers would read a part of an attribute as an element; remove the <, or move the attribute out of <title>",
    );
  }
}

/** Returns the start tags that a browser finds in `html`, without elements that it adds itself. */
function parseStartTags(html: string): string[] {
  const tags: string[] = [];
  const visit = (parent: { children: readonly object[] }) => {
    for (const node of parent.children as readonly (Element & { data?: ParsedData })[]) {
      if (node.type !== "element") continue;
      const { start, end } = node.data?.position?.opening ?? {};
      if (start && end) tags.push(html.slice(start.offset, end.offset));
      visit(node);
    }
  };
  visit(fromHtml(html, { fragment: true, verbose: true }));
  return tags;
}

interface ParsedData {
  readonly position?: { opening?: { start: { offset: number }; end: { offset: number } } };
}

function addStartTags(node: Node, space: Space, written: StartTags): void {
  if (node.type === "raw")
    for (const tag of parseStartTags(node.value)) written.set(tag, undefined);
  if (node.type !== "element") return;
  const { tagName } = node;
  const shell = toHtml({ ...node, children: [] } as never, { space });
  const endTag = `</${tagName}>`;
  written.set(shell.endsWith(endTag) ? shell.slice(0, -endTag.length) : shell, node);
  const inner = tagName === "svg" ? "svg" : htmlIntegrationPoints.has(tagName) ? "html" : space;
  for (const child of node.children) addStartTags(child, inner, written);
}
