// Converts the HTML of an imported post to MDX.

import TurndownService from "turndown";
import { cardRules } from "./card-rules.ts";
import { baseRules } from "./html-rules.ts";
import type { Conversion, HtmlContext, HtmlRule } from "./html-rule.ts";
import { escapeModuleSyntax, escapeText } from "./mdx-text.ts";

/** The first rule that matches an element converts it. */
const rules: readonly HtmlRule[] = [...cardRules, ...baseRules];

/** Returns MDX with a line break at its end, or "" for a post without content. */
export function htmlToMdx(html: string, context: HtmlContext): string {
  const service = new TurndownService({
    headingStyle: "atx",
    codeBlockStyle: "fenced",
    bulletListMarker: "-",
    hr: "---",
    // Turndown applies no rules to an element without text, such as a card with only attributes.
    blankReplacement: (content, node) =>
      applyRules(node as unknown as Element, content) ??
      ((node as unknown as { isBlock: boolean }).isBlock ? "\n\n" : ""),
  });
  service.escape = escapeText;
  const conversion: Conversion = {
    ...context,
    convert: (element) => service.turndown(element as TurndownService.Node),
  };
  function applyRules(element: Element, content: string): string | null {
    const rule = rules.find(({ matches }) => matches(element));
    return rule ? rule.replace(element, content, conversion) : null;
  }
  service.addRule("imported", {
    filter: (node) => rules.some(({ matches }) => matches(node)),
    replacement: (content, node) => applyRules(node as Element, content) ?? content,
  });
  const markdown = escapeModuleSyntax(service.turndown(removeControlCharacters(html))).trim();
  return markdown === "" ? "" : `${markdown}\n`;
}

const removeControlCharacters = (html: string) =>
  html.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u2028\u2029]/g, "");
