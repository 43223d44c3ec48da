// Finds the names that code refers to, and whether it needs a browser.

import type { Declaration, Node, Pattern } from "estree";
import { visit } from "estree-util-visit";

/** An estree node with its JSX nodes, whose types the visitor does not know. */
type AnyNode = {
  readonly type: string;
  readonly [field: string]: unknown;
};
type NamedNode = { readonly type: string; readonly name: string };

const browserGlobals = new Set(
  (
    "window document navigator location history screen localStorage sessionStorage indexedDB matchMedia getComputedStyle " +
    "requestAnimationFrame cancelAnimationFrame requestIdleCallback setTimeout setInterval setImmediate addEventListener " +
    "removeEventListener dispatchEvent IntersectionObserver ResizeObserver MutationObserver HTMLElement " +
    "AudioContext alert confirm prompt customElements visualViewport innerWidth innerHeight scrollTo scrollX scrollY"
  ).split(" "),
);
const functionPattern = /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
const hookPattern = /^use(?:[A-Z]|$)/;
const handlerPattern = /^on[A-Z]/;
const clientOnlyNames = /^(?:createContext|createRef|Component|PureComponent)$/;

/** Returns the free variables of `node`: names used in it that no enclosing scope in it declares. */
export function findReferences(node: Node): Set<string> {
  const references: { name: string; scopes: readonly unknown[] }[] = [];
  const declared = new Map<unknown, Set<string>>();
  visit(node as never, (current, _key, _index, ancestors) => {
    const part = current as unknown as AnyNode;
    const parent = ancestors.at(-1) as unknown as AnyNode | undefined;
    const listScopes = () => [null, ...ancestors.filter(({ type }) => functionPattern.test(type))];
    for (const pattern of declaredPatterns(part)) {
      const isName = part.type === "FunctionDeclaration" && pattern === part.id;
      const scope = functionPattern.test(part.type) && !isName ? part : listScopes().at(-1);
      if (!declared.has(scope)) declared.set(scope, new Set());
      for (const name of namesOf(pattern)) declared.get(scope)!.add(name);
    }
    if (
      (part.type === "Identifier" && isReference(part, parent)) ||
      (part.type === "JSXIdentifier" && isJsxReference(part, parent))
    )
      references.push({ name: part.name as string, scopes: listScopes() });
  });
  const isFree = ({ name, scopes }: (typeof references)[number]) =>
    !scopes.some((scope) => declared.get(scope)?.has(name));
  return new Set(references.filter(isFree).map(({ name }) => name));
}

/**
 * Returns whether `node` uses a hook, context, a class component, an event handler, a ref or an API
 * of browsers, or says "use client".
 */
export function needsBrowser(node: Node): boolean {
  let result = false;
  visit(node as never, (current) => {
    result ||= isBrowserSyntax(current as unknown as AnyNode);
  });
  return result || [...findReferences(node)].some((name) => browserGlobals.has(name));
}

/** Returns whether `name` exists in every browser or in Node, without an import. */
export function isGlobalName(name: string): boolean {
  return name in globalThis || browserGlobals.has(name) || name === "arguments";
}

/** Returns the names that a declaration's pattern binds. */
export function namesOf(pattern: Pattern | null): string[] {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) =>
        namesOf(property.type === "Property" ? property.value : property.argument),
      );
    case "ArrayPattern":
      return pattern.elements.flatMap(namesOf);
    case "AssignmentPattern":
      return namesOf(pattern.left);
    case "RestElement":
      return namesOf(pattern.argument);
    default:
      return [];
  }
}

function declaredPatterns(node: AnyNode): Pattern[] {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return [...(node.params as Pattern[]), ...(node.id ? [node.id as Pattern] : [])];
    case "ClassDeclaration":
    case "ClassExpression":
    case "VariableDeclarator":
      return node.id ? [node.id as Pattern] : [];
    case "CatchClause":
      return node.param ? [node.param as Pattern] : [];
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      return [node.local as Pattern];
    default:
      return [];
  }
}

function isReference(node: AnyNode, parent: AnyNode | undefined): boolean {
  switch (parent?.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed === true;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.value === node || parent.computed === true;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
    case "ImportSpecifier":
    case "ExportSpecifier":
      return false;
    default:
      return true;
  }
}

/** `<Name>` and the first part of `<Name.Part>` refer to a name; `<div>` and attributes do not. */
function isJsxReference(node: AnyNode, parent: AnyNode | undefined): boolean {
  if (parent?.type === "JSXMemberExpression") return parent.object === node;
  const isTag = parent?.type === "JSXOpeningElement" || parent?.type === "JSXClosingElement";
  return isTag && !/^[a-z]/.test(node.name as string);
}

function isBrowserSyntax(node: AnyNode): boolean {
  switch (node.type) {
    case "ExpressionStatement":
      return node.directive === "use client";
    case "CallExpression":
      return hookPattern.test(lastName(node.callee)) || lastName(node.callee) === "createContext";
    case "ClassDeclaration":
    case "ClassExpression":
      return /Component$/.test(lastName(node.superClass));
    case "ImportSpecifier": {
      const { name } = node.imported as NamedNode;
      return hookPattern.test(name) || clientOnlyNames.test(name);
    }
    case "Property":
      return (
        handlerPattern.test((node.key as NamedNode).name ?? "") &&
        (node.value as AnyNode).type !== "Literal"
      );
    case "JSXAttribute": {
      const { name } = node.name as NamedNode;
      return name === "ref" || (typeof name === "string" && handlerPattern.test(name));
    }
    default:
      return false;
  }
}

/** Returns "useState" for `useState` and for `React.useState`. */
function lastName(node: unknown): string {
  const part = node as AnyNode | null | undefined;
  if (part?.type === "Identifier") return part.name as string;
  return part?.type === "MemberExpression" && part.computed !== true ? lastName(part.property) : "";
}

/** A hook, context, class component, handler or ref, in JavaScript that esbuild has printed. */
const browserSyntax =
  /["']use client["']|\buse(?:[A-Z]\w*)?\(|\bcreate(?:Context|Ref)\b|\bextends\s+[\w$.]*Component\b|[{,]\s*(?:on[A-Z]\w*|ref)\s*[,}:]/;
const browserGlobal = new RegExp(
  `(?<![.\\w$"'-])(?:${[...browserGlobals].join("|")})(?=\\s*(?:[.[(,;)=!&|?]|$))`,
  "m",
);

/**
 * Returns whether a module needs a browser, like needsBrowser. It looks at text, so it may be wrong
 * about words in a string: then the component costs JavaScript that it does not need.
 */
export function textNeedsBrowser(code: string): boolean {
  return browserSyntax.test(code) || browserGlobal.test(code);
}

/** Returns the names that an exported declaration binds. */
export function declaredNames(declaration: Declaration | null | undefined): string[] {
  if (!declaration) return [];
  if (declaration.type === "VariableDeclaration")
    return declaration.declarations.flatMap(({ id }) => namesOf(id));
  return [declaration.id.name];
}
