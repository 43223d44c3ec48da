// JSX of a post: lower-case tags become HTML elements, known components stay, everything else is refused at its line.

import { find, html, svg as svgSchema } from "property-information";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { styleToCss, evaluateProgram, type StaticValue } from "#lib/posts/mdx/static-value.ts";
import {
  createElement,
  isJsx,
  createText,
  type Element,
  type MdxExpression,
  type MdxJsx,
  type JsxAttribute,
  type Node,
  type Parent,
  type Properties,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { createEmbed, isHttpUrl } from "./embeds.ts";

/** Names for a list of the post's headings, made by plugins/contents.ts. */
const tableOfContentsNames = new Set(["TOCInline", "TableOfContents"]);

/** Rewrites all JSX and expressions below `tree`. Throws a PostError for what can't be shown. */
export function convertJsx(tree: Root, draft: CompileContext): void {
  const locals = new Set(draft.localImports.map((local) => local.name));
  const visitChildren = (parent: Parent, inSvg: boolean) => {
    parent.children = parent.children.flatMap((child) => {
      const result = convertNode(child, draft, locals, inSvg);
      for (const node of Array.isArray(result) ? result : [result]) {
        if ("children" in node)
          visitChildren(node, inSvg || (node.type === "element" && node.tagName === "svg"));
      }
      return result;
    });
  };
  visitChildren(tree, false);
}

function convertNode(
  node: Node,
  draft: CompileContext,
  locals: ReadonlySet<string>,
  inSvg: boolean,
): Node | Node[] {
  if (node.type === "mdxFlowExpression" || node.type === "mdxTextExpression")
    return convertExpression(node, draft);
  if (!isJsx(node)) return node;
  const { name } = node;
  if (name === null) {
    // A fragment: only its children count, and they may be fragments again.
    return node.children.flatMap((child) => convertNode(child, draft, locals, inSvg));
  }
  if (/^[a-z][^.]*$/.test(name)) return convertElement(node, name, draft, inSvg);
  const root = name.split(".")[0]!;
  if (!locals.has(root)) {
    const alias = name === "Image" || name === "Link" ? name : draft.aliases.get(name);
    if (alias) return convertElement(node, alias === "Image" ? "img" : "a", draft, inSvg);
    if (tableOfContentsNames.has(name)) return convertTableOfContents(node, draft);
    if (!draft.knownComponents.has(name)) {
      draft.fail(
        node,
        `<${name}> is not a component of this site (there are: ${[...draft.knownComponents].sort().join(", ")}); import it from a file beside the post, or leave it out`,
      );
    }
    if (name === "Embed") return convertEmbed(node, draft);
  }
  for (const attribute of node.attributes) {
    const place = attribute.position ? attribute : node;
    if (attribute.type === "mdxJsxExpressionAttribute")
      draft.fail(place, `{...} on <${name}> is not supported: write each attribute out`);
    if (
      attribute.value &&
      typeof attribute.value === "object" &&
      evaluateProgram(attribute.value.data?.estree) === null
    ) {
      draft.fail(
        place,
        `${attribute.name}={${truncateCode(attribute.value.value)}} on <${name}> is not supported: only texts, numbers, lists and objects written out`,
      );
    }
  }
  draft.components.add(name);
  return node;
}

function convertExpression(node: MdxExpression, draft: CompileContext): Node[] {
  const found = evaluateProgram(node.data?.estree);
  const value = found?.value;
  if (found === null || (typeof value === "object" && value !== null)) {
    draft.fail(
      node,
      `the expression {${truncateCode(node.value)}} is not supported: a post shows texts and components, it doesn't compute (write \\{ for a brace)`,
    );
  }
  return value === null || value === undefined || typeof value === "boolean"
    ? []
    : [createText(String(value))];
}

function convertElement(
  node: MdxJsx,
  tagName: string,
  draft: CompileContext,
  inSvg: boolean,
): Element {
  const properties: Properties = {};
  for (const attribute of node.attributes) {
    const place = attribute.position ? attribute : node;
    if (attribute.type === "mdxJsxExpressionAttribute")
      draft.fail(place, `{...} on <${tagName}> is not supported: write each attribute out`);
    if (attribute.name === "key" || attribute.name === "ref") continue;
    if (attribute.name === "dangerouslySetInnerHTML")
      draft.fail(
        place,
        "dangerouslySetInnerHTML is not supported in a post: write the HTML itself",
      );
    const value = readAttributeValue(attribute, tagName, place, draft);
    if (value === null || value === undefined || value === false) continue;
    const info = find(
      inSvg || tagName === "svg" ? svgSchema : html,
      attribute.name === "class" ? "className" : attribute.name,
    );
    if (info.property === "style" && typeof value === "object") {
      const css = Array.isArray(value) ? null : styleToCss(value);
      if (css === null)
        draft.fail(
          place,
          `the style of <${tagName}> must be text or an object of texts and numbers`,
        );
      properties.style = css;
    } else if (info.property === "className") {
      properties.className = String(Array.isArray(value) ? value.join(" ") : value)
        .split(/\s+/)
        .filter(Boolean);
    } else if (typeof value === "object") {
      draft.fail(place, `${attribute.name} of <${tagName}> must be a text, a number or a switch`);
    } else {
      properties[info.property] = value;
    }
  }
  const made = createElement(tagName, properties, node.children, node);
  made.data = { inline: node.type === "mdxJsxTextElement" };
  return made;
}

function readAttributeValue(
  attribute: JsxAttribute,
  tagName: string,
  place: JsxAttribute | MdxJsx,
  draft: CompileContext,
): StaticValue {
  if (attribute.value === null || attribute.value === undefined) return true;
  if (typeof attribute.value === "string") return attribute.value;
  const found = evaluateProgram(attribute.value.data?.estree);
  if (found) return found.value;
  return draft.fail(
    place,
    `${attribute.name}={${truncateCode(attribute.value.value)}} on <${tagName}> is not supported: only texts, numbers and styles written out`,
  );
}

function convertEmbed(node: MdxJsx, draft: CompileContext): Node {
  const attribute = node.attributes.find((one) => one.name === "url");
  const url = attribute ? readAttributeValue(attribute, "Embed", node, draft) : undefined;
  if (typeof url !== "string" || !isHttpUrl(url))
    draft.fail(node, '<Embed> needs a url, as in <Embed url="https://example.com/page" />');
  return createEmbed(url, node, draft);
}

/** `toc={props.toc}` is where other sites pass the headings; ours are known, so that one attribute may be anything. */
function convertTableOfContents(node: MdxJsx, draft: CompileContext): Element {
  const given: Record<string, StaticValue> = {};
  for (const attribute of node.attributes) {
    if (attribute.name !== "toc")
      given[attribute.name] = readAttributeValue(attribute, node.name!, node, draft);
  }
  const made = createElement("lectern-contents", {}, [], node);
  made.data = { given };
  return made;
}

function truncateCode(code: string): string {
  const line = code.trim().replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}
