// Limits the styles and classes of strict posts, so that their authors can't draw over the page.
// Also prevents CSS injection: no value can load a file or contain another declaration. Removes data
// attributes, because the site's scripts find their elements by them.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { classesOf, isElement, replaceNodes, type Root } from "#lib/posts/mdx/mdx-tree.ts";

const PROPERTY =
  /^(?:(?:margin|padding|border)(?:-[a-z]+)*|(?:min-|max-)?(?:width|height)|aspect-ratio|background(?:-color)?|box-sizing|caption-side|clear|color|column(?:s|-count|-gap)|display|fill|flex(?:-[a-z]+)?|float|font-(?:size|style|variant|weight)|gap|(?:align|justify)-(?:content|items|self)|letter-spacing|line-height|list-style(?:-type)?|object-(?:fit|position)|opacity|overflow-wrap|row-gap|stroke(?:-width)?|tab-size|table-layout|text-(?:align|decoration|indent|transform)|vertical-align|white-space|word-break)$/;
const COLOR_FUNCTION = /^(?:rgb|hsl)a?\([\d\s.,%/]*\)$/;
/** A keyword, a color, or a number that is not negative. */
const TOKEN = /^(?:[a-z]+(?:-[a-z]+)*|#[\da-f]{3,8}|(?:\d+(?:\.\d+)?|\.\d+)(?:[a-z]+|%)?)$/;

/** Classes that the compiler itself sets, and those of callouts. The site's others are for its own pages. */
const CLASS =
  /^(?:language-.+|callout(?:-[a-z]+)?|aside|important|math(?:-display|-inline)?|contains-task-list|task-list-item|footnotes|data-footnote-backref|sr-only|visually-hidden|katex|steps|file-tree|tabs|tab-panel|tab-title|themed-(?:image|light|dark))$/;

/** Set by the compiler: for footnotes, and for the info string of a code block. */
const DATA = /^data-?(?:footnote|info)/i;

/** Removes unsafe styles, unknown classes and data attributes from a strict post. Keeps a trusted post as it is. */
export function restrictStyles(tree: Root, context: CompileContext): void {
  if (context.input.trust !== "strict") return;
  replaceNodes(tree, (node) => {
    if (!isElement(node)) return undefined;
    const { properties } = node;
    for (const name of Object.keys(properties).filter(
      (each) => /^data/i.test(each) && !DATA.test(each),
    )) {
      delete properties[name];
      context.warn(
        node,
        `the attribute ${name.slice(0, 60)} of <${node.tagName}> was removed, because posts by others can't use it (content.trust)`,
      );
    }
    if (properties.className !== undefined)
      properties.className = classesOf(node).filter((name) => CLASS.test(name));
    if (properties.style !== undefined) {
      const { kept, removed } = filterDeclarations(String(properties.style ?? ""));
      properties.style = kept.join(";") || undefined;
      for (const declaration of removed)
        context.warn(
          node,
          `the style "${declaration.slice(0, 60)}" of <${node.tagName}> was removed, because posts by others can't use it (content.trust)`,
        );
    }
    return undefined;
  });
}

/** Splits at every semicolon, even in strings and comments, none of which is kept. */
function filterDeclarations(style: string): { kept: string[]; removed: string[] } {
  const kept: string[] = [];
  const removed: string[] = [];
  for (const part of style.split(";").map((each) => each.trim())) {
    if (part === "") continue;
    const [, name = "", value = ""] = /^([\w-]+)\s*:\s*(.+)$/s.exec(part) ?? [];
    const isSafe = PROPERTY.test(name.toLowerCase()) && isSafeValue(value.toLowerCase());
    (isSafe ? kept : removed).push(part);
  }
  return { kept, removed };
}

const isSafeValue = (value: string) =>
  COLOR_FUNCTION.test(value) || value.split(/[\s,/]+/).every((token) => TOKEN.test(token));
