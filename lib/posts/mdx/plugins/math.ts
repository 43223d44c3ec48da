// Converts $…$ and $$…$$ to MathML at compile time: needs no script or style sheet, and works in
// screen readers.

import type { Root } from "mdast";
import { visit } from "unist-util-visit";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import type { Positioned } from "#lib/posts/mdx/mdx-tree.ts";

interface MathNode extends Positioned {
  type: string;
  value: string;
  data?: { hName?: string; hProperties?: Record<string, unknown>; hChildren?: unknown[] };
}

/**
 * Returns whether dollar signs delimit formulas: the post has a $$ block, or a TeX command between
 * dollars.
 */
export function usesMath(body: string): boolean {
  if (!body.includes("$")) return false;
  const prose = body
    .replace(/^[ \t>]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?^[ \t>]*\1/gm, "")
    .replace(/`[^`\n]*`/g, "");
  return prose.includes("$$") || /\$(?!\s)[^$\n]*\\[a-zA-Z]+[^$\n]*(?<!\s)\$(?!\d)/.test(prose);
}

/** Converts each formula to MathML. Throws PostError at an invalid formula. */
export async function renderMath(tree: Root, context: CompileContext): Promise<void> {
  const formulas: { node: MathNode; next: string }[] = [];
  visit(tree, (node, index, parent) => {
    if ((node.type as string) !== "math" && (node.type as string) !== "inlineMath") return;
    const after = parent && index !== undefined ? parent.children[index + 1] : undefined;
    formulas.push({
      node: node as unknown as MathNode,
      next: after?.type === "text" ? after.value.slice(0, 1) : "",
    });
  });
  if (formulas.length === 0) return;
  const { default: katex } = await import("katex");
  for (const { node, next } of formulas) {
    const isDisplay = node.type === "math";
    if (!isDisplay && isMoney(node, next)) {
      Object.assign(node, { type: "text", value: `$${node.value}$`, data: undefined });
      continue;
    }
    let html: string;
    try {
      html = katex.renderToString(node.value, {
        displayMode: isDisplay,
        output: "mathml",
        throwOnError: true,
        strict: false,
        trust: false,
      });
    } catch (error) {
      context.fail(
        node,
        `this formula is not valid TeX: ${(error as Error).message.replace(/^KaTeX parse error: /, "").slice(0, 300)}`,
      );
    }
    const tag = isDisplay ? "div" : "span";
    node.data = {
      hName: tag,
      hProperties: { className: isDisplay ? ["math", "math-display"] : ["math", "math-inline"] },
      hChildren: [{ type: "raw", value: html, text: node.value, position: node.position }],
    };
  }
}

/**
 * Applies Pandoc's rule for "$10 to $20": a closing dollar has no space before it and no digit
 * after it.
 */
function isMoney(node: MathNode, next: string): boolean {
  return /^\s|\s$/.test(node.value) || /\d/.test(next);
}
