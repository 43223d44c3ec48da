// Rejects text and attributes with a lone surrogate, with its line.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { isElement, isJsx, replaceNodes, type Node, type Root } from "#lib/posts/mdx/mdx-tree.ts";
import { evaluateProgram } from "#lib/posts/mdx/static-value.ts";
import { LONE_SURROGATE_RULE, findLoneSurrogate } from "#lib/posts/lone-surrogate.ts";

/** Throws PostError at the first node with a lone surrogate. */
export function assertWellFormed(tree: Root, context: CompileContext): void {
  replaceNodes(tree, (node) => {
    if (findLoneSurrogate(textsOf(node))) context.fail(node, `the text ${LONE_SURROGATE_RULE}`);
    return undefined;
  });
}

/** Returns everything in the node that a post's text decides, without its children. */
function textsOf(node: Node): unknown {
  if (isElement(node)) return node.properties;
  if (!isJsx(node)) return node.value;
  return node.attributes.map(({ value }) =>
    typeof value === "object" ? evaluateProgram(value?.data?.estree)?.value : value,
  );
}
