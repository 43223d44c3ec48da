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
    .replace(
      /^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(`{3,}(?!`)|~{3,}(?!~))[^\n]*\n[\s\S]*?^[ \t>]*\1/gm,
      "",
    )
    .replace(/`[^`\n]*`/g, "");
  if (prose.includes("$$")) return true;
  const formulas = prose.matchAll(/\$(?!\s)([^$\n]+)(?<!\s)(?=\$(?!\d))/g);
  return formulas.some(([, formula]) => /\\[a-zA-Z]/.test(formula!));
}

/** Converts each formula to MathML. Throws PostError at an invalid formula. */
export async function renderMath(tree: Root, context: CompileContext): Promise<void> {
  const formulas: MathNode[] = [];
  visit(tree, (node) => {
    if (/^(?:math|inlineMath)$/.test(node.type)) formulas.push(node as unknown as MathNode);
  });
  if (formulas.length === 0) return;
  const { default: katex } = await import("katex");
  for (const node of formulas) {
    const isDisplay = node.type === "math";
    let html: string;
    try {
      // MathJax doesn't show labels, and KaTeX rejects them.
      html = katex.renderToString(node.value.replace(/\\label\s*\{[^{}]*\}/g, ""), {
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
