// Reports template tags of other engines: {% tag %} of Jekyll and Hexo, {{< tag >}} of Hugo.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { isElement, replaceNodes, type Root } from "#lib/posts/mdx/mdx-tree.ts";

const TAG = /(?:\{%-?|\{\{[<%])[\s/]*([a-z][\w-]*)/gi;

/** Warns about each tag in the text, because readers see it as written. */
export function reportTemplateTags(tree: Root, context: CompileContext): void {
  replaceNodes(tree, (node) => {
    if (isElement(node, "code", "pre")) return node;
    if (node.type !== "text") return undefined;
    for (const [, name] of node.value.matchAll(TAG))
      context.warn(node, `the template tag ${name} is unsupported and is shown as text; remove it`);
    return undefined;
  });
}
