// Converts JSX: lowercase tags become HTML elements, known components stay, anything else is
// rejected.

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

/** Component names for a table of contents (plugins/table-of-contents.ts). */
const tableOfContentsNames = new Set(["TOCInline", "TableOfContents"]);

/** Converts all JSX and expressions in `tree`. Throws PostError for anything unsupported. */
export function convertJsx(tree: Root, context: CompileContext): void {
  const locals = new Set(context.localImports.map((local) => local.name));
  const visitChildren = (parent: Parent, inSvg: boolean) => {
    parent.children = parent.children.flatMap((child) => {
      const result = convertNode(child, context, locals, inSvg);
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
  context: CompileContext,
  locals: ReadonlySet<string>,
  inSvg: boolean,
): Node | Node[] {
  if (node.type === "mdxFlowExpression" || node.type === "mdxTextExpression")
    return convertExpression(node, context);
  if (!isJsx(node)) return node;
  const { name } = node;
  if (name === null) {
    // A fragment. Its children may be fragments as well.
    return node.children.flatMap((child) => convertNode(child, context, locals, inSvg));
  }
  if (/^[a-z][^.]*$/.test(name)) return convertElement(node, name, context, inSvg);
  const root = name.split(".")[0]!;
  if (!locals.has(root)) {
    const alias = name === "Image" || name === "Link" ? name : context.aliases.get(name);
    if (alias) return convertElement(node, alias === "Image" ? "img" : "a", context, inSvg);
    if (tableOfContentsNames.has(name)) return convertTableOfContents(node, context);
    if (!context.knownComponents.has(name)) {
      context.fail(
        node,
        `<${name}> is not a component of this site (there are: ${[...context.knownComponents].sort().join(", ")}); import it from a file beside the post, or leave it out`,
      );
    }
    if (name === "Embed") return convertEmbed(node, context);
  }
  for (const attribute of node.attributes) {
    const place = attribute.position ? attribute : node;
    if (attribute.type === "mdxJsxExpressionAttribute")
      context.fail(place, `{...} on <${name}> is not supported: write each attribute out`);
    if (
      attribute.value &&
      typeof attribute.value === "object" &&
      evaluateProgram(attribute.value.data?.estree) === null
    ) {
      context.fail(
        place,
        `${attribute.name}={${truncateCode(attribute.value.value)}} on <${name}> is not supported: only literal texts, numbers, lists and objects`,
      );
    }
  }
  context.components.add(name);
  return node;
}

function convertExpression(node: MdxExpression, context: CompileContext): Node[] {
  const result = evaluateProgram(node.data?.estree);
  const value = result?.value;
  if (result === null || (typeof value === "object" && value !== null)) {
    context.fail(
      node,
      `the expression {${truncateCode(node.value)}} is not supported: a post may contain text and components, not code (write \\{ for a brace)`,
    );
  }
  return value === null || value === undefined || typeof value === "boolean"
    ? []
    : [{ ...createText(String(value)), position: node.position }];
}

function convertElement(
  node: MdxJsx,
  tagName: string,
  context: CompileContext,
  inSvg: boolean,
): Element {
  const properties: Properties = {};
  for (const attribute of node.attributes) {
    const place = attribute.position ? attribute : node;
    if (attribute.type === "mdxJsxExpressionAttribute")
      context.fail(place, `{...} on <${tagName}> is not supported: write each attribute out`);
    if (attribute.name === "key" || attribute.name === "ref") continue;
    if (attribute.name === "dangerouslySetInnerHTML")
      context.fail(
        place,
        "dangerouslySetInnerHTML is not supported in a post: write the HTML itself",
      );
    const value = readAttributeValue(attribute, tagName, place, context);
    if (value === null || value === undefined || value === false) continue;
    const info = find(
      inSvg || tagName === "svg" ? svgSchema : html,
      attribute.name === "class" ? "className" : attribute.name,
    );
    if (info.property === "style" && typeof value === "object") {
      const css = Array.isArray(value) ? null : styleToCss(value);
      if (css === null)
        context.fail(
          place,
          `the style of <${tagName}> must be text or an object of text and numbers`,
        );
      properties.style = css;
    } else if (info.property === "className") {
      properties.className = String(Array.isArray(value) ? value.join(" ") : value)
        .split(/\s+/)
        .filter(Boolean);
    } else if (typeof value === "object") {
      context.fail(place, `${attribute.name} of <${tagName}> must be text, a number or a boolean`);
    } else {
      properties[info.property] = value;
    }
  }
  const element = createElement(tagName, properties, node.children, node);
  element.data = { inline: node.type === "mdxJsxTextElement" };
  return element;
}

function readAttributeValue(
  attribute: JsxAttribute,
  tagName: string,
  place: JsxAttribute | MdxJsx,
  context: CompileContext,
): StaticValue {
  if (attribute.value === null || attribute.value === undefined) return true;
  if (typeof attribute.value === "string") return attribute.value;
  const result = evaluateProgram(attribute.value.data?.estree);
  if (result) return result.value;
  return context.fail(
    place,
    `${attribute.name}={${truncateCode(attribute.value.value)}} on <${tagName}> is not supported: only literal texts, numbers and styles`,
  );
}

function convertEmbed(node: MdxJsx, context: CompileContext): Node {
  const attribute = node.attributes.find((one) => one.name === "url");
  const url = attribute ? readAttributeValue(attribute, "Embed", node, context) : undefined;
  if (typeof url !== "string" || !isHttpUrl(url))
    context.fail(node, '<Embed> needs a url, as in <Embed url="https://example.com/page" />');
  return createEmbed(url, node, context);
}

/**
 * Converts a table of contents. Ignores `toc={props.toc}`, which other sites use to pass the
 * headings.
 */
function convertTableOfContents(node: MdxJsx, context: CompileContext): Element {
  const options: Record<string, StaticValue> = {};
  for (const attribute of node.attributes) {
    if (attribute.name !== "toc")
      options[attribute.name] = readAttributeValue(attribute, node.name!, node, context);
  }
  const element = createElement("lectern-contents", {}, [], node);
  element.data = { options };
  return element;
}

function truncateCode(code: string): string {
  const line = code.trim().replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}
