// Converts JSX: lowercase tags become HTML elements, known components stay, anything else is
// rejected.

import type { Program } from "estree";
import { find, html, svg as svgSchema } from "property-information";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { styleToCss, evaluateProgram, type StaticValue } from "#lib/posts/mdx/static-value.ts";
import {
  createElement,
  isBlank,
  isElement,
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
import { findReferences, needsBrowser } from "#lib/posts/mdx/code/names-in-code.ts";
import { isSafeUrl, unsafeUrlReason, urlProperties } from "./assert-allowed-html.ts";
import { createEmbed, isHttpUrl } from "./embeds.ts";
import { assertDefined } from "./extract-code.ts";
import { SITE_COMPONENTS, convertSiteComponent } from "./site-components.ts";

/** Component names for a table of contents (plugins/table-of-contents.ts). */
const tableOfContentsNames = new Set(["TOCInline", "TableOfContents"]);
/** Components of Next.js that are plain elements here, without an import. */
const plainElements = new Map([
  ["Image", "img"],
  ["Link", "a"],
]);

const HEADING_ID = /^\s*\/\*\s*#([\w:.-]+)\s*\*\/\s*$/;

/**
 * Converts all JSX and expressions in `tree`. Code stays unchanged in a trusted post. Throws
 * PostError for anything unsupported.
 */
export function convertJsx(tree: Root, context: CompileContext): void {
  const visitChildren = (parent: Parent, inSvg: boolean) => {
    parent.children = parent.children.flatMap((child) => {
      // Docusaurus writes the id of a heading as a comment: /* #id */.
      const id = child.type === "mdxTextExpression" && HEADING_ID.exec(child.value)?.[1];
      if (id && isElement(parent) && /^h[1-6]$/.test(parent.tagName)) parent.properties.id ??= id;
      const result = convertNode(child, context, inSvg);
      for (const node of Array.isArray(result) ? result : [result]) {
        if ("children" in node)
          visitChildren(node, inSvg || (node.type === "element" && node.tagName === "svg"));
      }
      return result;
    });
  };
  visitChildren(tree, false);
}

function convertNode(node: Node, context: CompileContext, inSvg: boolean): Node | Node[] {
  if (node.type === "mdxFlowExpression" || node.type === "mdxTextExpression")
    return convertExpression(node, context);
  if (!isJsx(node) || node.data?.isInternal) return node;
  const { name } = node;
  if (name === null) {
    // A fragment. Its children may be fragments as well.
    return node.children.flatMap((child) => convertNode(child, context, inSvg));
  }
  const isComputed = context.input.trust !== "strict" && hasCode(node, context);
  if (/^[a-z][^.]*$/.test(name))
    return isComputed ? keepCodeElement(node, context) : convertElement(node, name, context, inSvg);
  const isBound = context.code.names.has(name.split(".")[0]!);
  const tagName = context.aliases.get(name) ?? (isBound ? undefined : plainElements.get(name));
  if (tagName && !isComputed) return convertElement(node, tagName, context, inSvg);
  if (isBound) return keepCodeElement(node, context);
  if (tagName) return keepCodeElement(Object.assign(node, { name: tagName }), context);
  if (tableOfContentsNames.has(name)) return convertTableOfContents(node, context);
  const converted = context.knownComponents.has(name) ? null : convertSiteComponent(node, context);
  if (converted)
    return converted.type === "element"
      ? converted
      : [converted].flatMap((one) => convertNode(one, context, inSvg));
  if (!context.knownComponents.has(name))
    context.fail(
      node,
      `<${name}> is not a component of this site (available: ${[...new Set([...context.knownComponents, ...SITE_COMPONENTS])].sort().join(", ")}); import it from a file next to the post, or remove it`,
    );
  if (name === "Embed" && !isComputed) return convertEmbed(node, context);
  checkPageComponent(node, name, context);
  context.components.add(name);
  return node;
}

/** Returns whether an attribute of `node` can't be evaluated now. */
function hasCode(node: MdxJsx, context: CompileContext): boolean {
  return node.attributes.some(
    (attribute) =>
      attribute.type === "mdxJsxExpressionAttribute" ||
      attribute.name === "dangerouslySetInnerHTML" ||
      (typeof attribute.value === "object" &&
        attribute.value !== null &&
        evaluateProgram(attribute.value.data?.estree, context.constants) === null),
  );
}

/** Attributes of a page's component are evaluated on the server: values yes, handlers no. */
function checkPageComponent(node: MdxJsx, name: string, context: CompileContext): void {
  for (const attribute of node.attributes) {
    const place = attribute.position ? attribute : node;
    const program = estreeOf(attribute);
    if (context.input.trust === "strict") {
      if (attribute.type === "mdxJsxExpressionAttribute")
        context.fail(place, `{...} on <${name}> is not supported; write out each attribute`);
      if (program && evaluateProgram(program) === null)
        context.fail(
          place,
          `${attribute.name}={${truncateCode(codeOf(attribute))}} on <${name}> is not supported; use only literal strings, numbers, arrays and objects`,
        );
    } else if (program && (isHandler(attribute) || isInteractiveCode(program, context))) {
      context.fail(
        place,
        `${attribute.name ?? "{...}"} on <${name}> needs the browser, but the site's own components accept only values; use a component next to the post`,
      );
    }
    if (program) assertDefined(findReferences(program), place, context, context.knownComponents);
  }
}

/** Keeps an element with code for plugins/islands.ts. */
function keepCodeElement(node: MdxJsx, context: CompileContext): MdxJsx {
  const name = node.name!;
  if (/^[a-z]/.test(name)) normalizeCodeElement(node, name, context);
  let isInteractive = context.code.interactive.has(name.split(".")[0]!);
  for (const attribute of node.attributes) {
    const program = estreeOf(attribute);
    if (!program) continue;
    assertDefined(
      findReferences(program),
      attribute.position ? attribute : node,
      context,
      context.knownComponents,
    );
    isInteractive ||= isInteractiveCode(program, context) || isHandler(attribute);
  }
  node.data = { ...node.data, code: isInteractive ? "browser" : "server" };
  return node;
}

const isHandler = ({ name, value }: JsxAttribute) =>
  name === "ref" || (/^on[A-Z]/.test(name ?? "") && typeof value === "object" && value !== null);

/** Returns whether code refers to something that needs a browser. */
function isInteractiveCode(program: Program, context: CompileContext): boolean {
  return (
    needsBrowser(program) ||
    [...findReferences(program)].some((name) => context.code.interactive.has(name))
  );
}

const refusedCodeElements = new Set(
  "script iframe frame frameset object embed base meta link html head body style portal".split(" "),
);

/** Gives an element with code the attribute names of React, and checks what is literal. */
function normalizeCodeElement(node: MdxJsx, name: string, context: CompileContext): void {
  if (refusedCodeElements.has(name)) context.fail(node, `<${name}> is not supported in a post`);
  for (const attribute of node.attributes) {
    const place = attribute.position ? attribute : node;
    if (attribute.name === "class") attribute.name = "className";
    if (attribute.name === "for") attribute.name = "htmlFor";
    if (typeof attribute.value !== "string") continue;
    if (/^on/i.test(attribute.name))
      context.fail(
        place,
        `${attribute.name} on <${name}> must be a function, as in ${attribute.name}={() => …}`,
      );
    if (attribute.name === "style")
      context.fail(
        place,
        `the style of <${name}> must be an object, as in style={{ color: "red" }}`,
      );
    if (urlProperties.includes(attribute.name) && !isSafeUrl(attribute.value, name === "img"))
      context.fail(place, unsafeUrlReason(attribute.value, name));
  }
}

function estreeOf(attribute: JsxAttribute): Program | undefined {
  // `{...props}` has its code next to it.
  if (attribute.type === "mdxJsxExpressionAttribute")
    return (attribute as { data?: { estree?: Program } }).data?.estree;
  return typeof attribute.value === "object" ? attribute.value?.data?.estree : undefined;
}

const codeOf = ({ value }: JsxAttribute) =>
  typeof value === "object" ? (value?.value ?? "") : String(value);

function convertExpression(node: MdxExpression, context: CompileContext): Node[] {
  const program = node.data?.estree;
  const result = evaluateProgram(program, context.constants);
  const value = result?.value;
  if (result === null || (typeof value === "object" && value !== null)) {
    if (context.input.trust === "strict")
      context.fail(
        node,
        `the expression {${truncateCode(node.value)}} is not supported: a post may contain text and components, not code (write \\{ for a brace)`,
      );
    assertDefined(findReferences(program!), node, context, context.knownComponents);
    node.data = { ...node.data, code: isInteractiveCode(program!, context) ? "browser" : "server" };
    return [node];
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
      context.fail(place, `{...} on <${tagName}> is not supported; write out each attribute`);
    if (attribute.name === "key" || attribute.name === "ref") continue;
    if (attribute.name === "dangerouslySetInnerHTML")
      context.fail(
        place,
        "dangerouslySetInnerHTML is not supported in a post: write the HTML itself",
      );
    const info = find(
      inSvg || tagName === "svg" ? svgSchema : html,
      attribute.name === "class" ? "className" : attribute.name,
    );
    const isFlag = info.boolean || info.overloadedBoolean || info.booleanish;
    // In JSX, `<img alt>` sets `true`; in HTML, "".
    const value =
      attribute.value === null && !isFlag
        ? ""
        : readAttributeValue(attribute, tagName, place, context);
    if (value === null || value === undefined || value === false) continue;
    if (info.property === "style" && typeof value === "object") {
      const css = Array.isArray(value) ? null : styleToCss(value);
      if (css === null)
        context.fail(
          place,
          `the style of <${tagName}> must be a string or an object of strings and numbers`,
        );
      properties.style = css;
    } else if (info.property === "className") {
      properties.className = String(Array.isArray(value) ? value.join(" ") : value)
        .split(/\s+/)
        .filter(Boolean);
    } else if (typeof value === "object") {
      context.fail(
        place,
        `${attribute.name} of <${tagName}> must be a string, a number or a boolean`,
      );
    } else {
      properties[info.property] = value;
    }
  }
  const element = createElement(tagName, properties, node.children, node);
  element.data = { inline: node.type === "mdxJsxTextElement" };
  unwrapParagraphs(element);
  return element;
}

/**
 * Unwraps the paragraph that MDX makes of the lines between tags, because a browser would move it
 * out of these elements. A `<p>` with several paragraphs becomes a `<div>`.
 */
function unwrapParagraphs(element: Element): void {
  const shown = element.children.filter((child) => !isBlank(child));
  const [first] = shown;
  if (!/^(?:p|h[1-6]|summary)$/.test(element.tagName)) return;
  if (shown.length === 1 && isElement(first, "p")) element.children = first.children;
  else if (element.tagName === "p" && shown.some((child) => isElement(child, "p")))
    element.tagName = "div";
}

function readAttributeValue(
  attribute: JsxAttribute,
  tagName: string,
  place: JsxAttribute | MdxJsx,
  context: CompileContext,
): StaticValue {
  if (attribute.value === null || attribute.value === undefined) return true;
  if (typeof attribute.value === "string") return attribute.value;
  const result = evaluateProgram(attribute.value.data?.estree, context.constants);
  if (result) return result.value;
  return context.fail(
    place,
    `${attribute.name}={${truncateCode(attribute.value.value)}} on <${tagName}> is not supported; use only literal strings, numbers and styles`,
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

/** Returns code as one line of at most 60 characters, for messages. */
export function truncateCode(code: string): string {
  const line = code.trim().replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}
