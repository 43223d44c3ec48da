// Defines the HTML tree that the plugins transform: hast, MDX nodes and raw HTML.

import type { Expression, Program } from "estree";

export interface Positioned {
  readonly position?: { start: { line: number; column: number; offset?: number } };
}

export type PropertyValue = string | number | boolean | null | undefined | (string | number)[];
export type Properties = Record<string, PropertyValue>;

export interface Element extends Positioned {
  type: "element";
  tagName: string;
  properties: Properties;
  children: Node[];
  data?: Record<string, unknown>;
}
export interface Text extends Positioned {
  type: "text";
  value: string;
}
/** Raw HTML. `text` is its visible text, for search and word count. */
export interface RawHtml extends Positioned {
  type: "raw";
  value: string;
  text?: string;
}
export interface Comment extends Positioned {
  type: "comment";
  value: string;
}
export interface JsxAttribute extends Positioned {
  type: "mdxJsxAttribute" | "mdxJsxExpressionAttribute";
  name: string;
  value:
    | null
    | undefined
    | string
    | { type: "mdxJsxAttributeValueExpression"; value: string; data?: { estree?: Program } };
}
export interface MdxJsx extends Positioned {
  type: "mdxJsxFlowElement" | "mdxJsxTextElement";
  name: string | null;
  attributes: JsxAttribute[];
  children: Node[];
  /**
   * `code`: where an element with code runs; undefined for a component of the page. `isInternal`:
   * not written in the post.
   */
  data?: { code?: "browser" | "server"; isInternal?: boolean; [field: string]: unknown };
}
export interface MdxExpression extends Positioned {
  type: "mdxFlowExpression" | "mdxTextExpression";
  value: string;
  /** `code`: where an expression that computes runs. */
  data?: { estree?: Program; code?: "browser" | "server" };
}
export interface MdxEsm extends Positioned {
  type: "mdxjsEsm";
  value: string;
  data?: { estree?: Program };
}
export type Node = Element | Text | RawHtml | Comment | MdxJsx | MdxExpression | MdxEsm;
export interface Root {
  type: "root";
  children: Node[];
}
export type Parent = Root | Element | MdxJsx;

/** Returns a new element at the position of `source`. */
export function createElement(
  tagName: string,
  properties: Properties = {},
  children: Node[] = [],
  source?: Positioned,
): Element {
  return {
    type: "element",
    tagName,
    properties,
    children,
    ...(source?.position && { position: source.position }),
  };
}

/** Returns a new text node. */
export function createText(value: string): Text {
  return { type: "text", value };
}

/** Returns a program of one expression: the code of an attribute or of `{expression}`. */
export function programOf(expression: Expression): Program {
  return {
    type: "Program",
    sourceType: "module",
    body: [{ type: "ExpressionStatement", expression }],
  };
}

/**
 * Returns the attribute `name={value}`. An expression, because JSX interprets line breaks and
 * character references in quoted attributes.
 */
export function createAttribute(
  name: string,
  value: string | number | boolean | string[],
): JsxAttribute {
  const expression: Expression = Array.isArray(value)
    ? { type: "ArrayExpression", elements: value.map((each) => ({ type: "Literal", value: each })) }
    : { type: "Literal", value };
  return {
    type: "mdxJsxAttribute",
    name,
    value: {
      type: "mdxJsxAttributeValueExpression",
      value: "",
      data: { estree: programOf(expression) },
    },
  };
}

/** Returns true for `<Name>`. Lowercase JSX has already become HTML elements. */
export function isJsx(node: Node | Root): node is MdxJsx {
  return node.type === "mdxJsxFlowElement" || node.type === "mdxJsxTextElement";
}

/** Returns true for an element or, if names are given, for an element with one of them. */
export function isElement<Name extends string = string>(
  node: Node | Root | undefined,
  ...tagNames: Name[]
): node is Element & { tagName: Name } {
  return (
    node?.type === "element" && (tagNames.length === 0 || tagNames.includes(node.tagName as Name))
  );
}

/** Returns true for whitespace and comments. */
export function isBlank(node: Node): boolean {
  return (node.type === "text" && node.value.trim() === "") || node.type === "comment";
}

/** Returns a copy of an element's classes. */
export function classesOf(node: Element): string[] {
  const { className } = node.properties;
  if (Array.isArray(className)) return className.map(String);
  return typeof className === "string" ? className.split(/\s+/).filter(Boolean) : [];
}

/** Adds missing classes. */
export function addClass(node: Element, ...names: string[]): void {
  node.properties.className = [...new Set([...classesOf(node), ...names])];
}

/**
 * Replaces each node below `parent`, parents first, with the nodes that `change` returns; undefined
 * keeps it. Visits the children of kept nodes, but not replacements.
 */
export function replaceNodes(
  parent: Parent,
  change: (node: Node, ancestors: Parent[]) => Node | Node[] | undefined,
): void {
  const ancestors: Parent[] = [];
  const walk = (current: Parent) => {
    ancestors.push(current);
    const next: Node[] = [];
    for (const child of current.children) {
      const replaced = change(child, ancestors);
      if (replaced === undefined) {
        if ("children" in child) walk(child);
        next.push(child);
      } else if (Array.isArray(replaced)) {
        next.push(...replaced);
      } else {
        next.push(replaced);
      }
    }
    current.children = next;
    ancestors.pop();
  };
  walk(parent);
}
