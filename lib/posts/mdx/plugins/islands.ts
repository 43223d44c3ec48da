// Bundles the code of a post. What needs a browser becomes islands; the rest runs on the server.

import { createHash } from "node:crypto";
import type { Expression, ImportDeclaration, Program } from "estree";
import { jsx, toJs } from "estree-util-to-js";
import { toEstree } from "hast-util-to-estree";
import type { CodeStatement, CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { POST_CODE_PREFIX, type PostCode } from "#lib/posts/mdx/compiled-post.ts";
import {
  assertScriptSize,
  bundleCode,
  RETURN,
  type CodeBundle,
} from "#lib/posts/mdx/code/bundle.ts";
import { findReferences } from "#lib/posts/mdx/code/names-in-code.ts";
import {
  createAttribute,
  isJsx,
  programOf,
  type MdxEsm,
  type MdxExpression,
  type MdxJsx,
  type Node,
  type Parent,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { assertDefined } from "./extract-code.ts";
import { truncateCode } from "./jsx-elements.ts";

export interface BundledCode {
  /** JavaScript that runs before the compiled post; "" without code. */
  readonly prelude: string;
  readonly code: PostCode | null;
}

/** Names in the compiled post's own statements; extract-code.ts reserves them. */
const CODE = "_code";
const ISLAND = "_island";

interface Island {
  readonly node: MdxJsx;
  /** JSX of a function of the island's children. */
  readonly source: string;
  readonly references: ReadonlySet<string>;
}

/**
 * Replaces what needs a browser in `tree` by <PostIsland>, and bundles it and everything else that
 * the post's code refers to. Throws PostError if it can't be bundled.
 */
export async function bundlePostCode(tree: Root, context: CompileContext): Promise<BundledCode> {
  const islands: Island[] = [];
  const serverNames = new Set<string>();
  const expressions: Node[] = [];
  replaceCode(tree, false, { islands, serverNames, expressions, context });
  const { statements } = context.code;
  const jsxPrelude = expressions.length > 0 ? "const _serverJsx = arguments[0].jsx;\n" : "";
  if (context.code.names.has("MDXLayout")) addLayout(serverNames, context);
  const bound = [...serverNames].filter((name) => context.code.names.has(name)).sort();
  const hasStyles = statements.some(({ node, names }) => isImport(node) && names.length === 0);
  const server =
    bound.length > 0 || hasStyles ? await bundle("server", [], new Set(bound), context) : null;
  const browserNames = new Set(islands.flatMap(({ references }) => [...references]));
  const browser =
    islands.length > 0 ? await bundle("browser", islands, browserNames, context) : null;
  const css = await joinStyles(server?.css ?? "", browser?.css ?? "", context);
  const code = createPostCode(browser?.script ?? null, css, context);
  for (const [index, { node }] of islands.entries())
    node.attributes.push(createAttribute("code", code!.hash), createAttribute("n", index));
  if (bound.length === 0) return { prelude: jsxPrelude, code };
  tree.children.unshift(createBindings(bound));
  const codePrelude = `const ${CODE} = (${server!.script})(arguments[0].require);\n`;
  return { prelude: jsxPrelude + codePrelude, code };
}

interface Replacement {
  readonly islands: Island[];
  /** Names that code on the server refers to. */
  readonly serverNames: Set<string>;
  /** Expressions that the server evaluates. */
  readonly expressions: Node[];
  readonly context: CompileContext;
}

/** Replaces code below `parent`, which is content of the server. */
function replaceCode(parent: Parent, isInCode: boolean, state: Replacement): void {
  parent.children = parent.children.map((node) => {
    if (codeOf(node) === "browser") return createIsland(node as MdxJsx | MdxExpression, state);
    if (isExpression(node)) {
      for (const name of findReferences(node.data!.estree!)) state.serverNames.add(name);
      // A component gets the value itself; anywhere else a failure must not lose the post.
      if (isInCode) return node;
      state.expressions.push(node);
      return createServerExpression(node);
    }
    if (isJsx(node) && state.context.code.names.size > 0)
      for (const name of jsxReferences(node)) state.serverNames.add(name);
    if ("children" in node) replaceCode(node, codeOf(node) === "server", state);
    return node;
  });
}

/** Returns where a node with code runs; undefined for any other node. */
function codeOf(node: Node): "browser" | "server" | undefined {
  return isJsx(node) || isExpression(node) ? node.data?.code : undefined;
}

function isExpression(node: Node): node is MdxExpression {
  return node.type === "mdxFlowExpression" || node.type === "mdxTextExpression";
}

/** Returns the names that an element's own tag and attributes refer to. */
function jsxReferences(node: MdxJsx): ReadonlySet<string> {
  const program = toEstree({ ...node, children: [] } as never) as Program;
  return findReferences(program);
}

/** Returns `{_serverJsx(Object.assign(() => value, {displayName}), {})}`, which names its failure. */
function createServerExpression(node: MdxExpression): MdxExpression {
  const value = expressionOf(node);
  const program = programOf({
    type: "CallExpression",
    optional: false,
    callee: { type: "Identifier", name: "_serverJsx" },
    arguments: [
      {
        type: "CallExpression",
        optional: false,
        callee: {
          type: "MemberExpression",
          computed: false,
          optional: false,
          object: { type: "Identifier", name: "Object" },
          property: { type: "Identifier", name: "assign" },
        },
        arguments: [
          { type: "ArrowFunctionExpression", expression: true, params: [], body: value },
          objectOf({ displayName: `{${truncateCode(node.value)}}` }),
        ],
      },
      objectOf({}),
    ],
  });
  return { ...node, data: { ...node.data, estree: program } };
}

/** Returns <PostIsland> with the static children, and records the code around them. */
function createIsland(node: MdxJsx | MdxExpression, state: Replacement): MdxJsx {
  const slots: MdxJsx[] = [];
  const program = isJsx(node)
    ? (toEstree(withSlots(node, slots) as never) as Program)
    : programOf(expressionOf(node));
  program.comments = [];
  const references = findReferences(program);
  references.delete(ISLAND);
  assertAvailable(references, node, state.context);
  for (const slot of slots) replaceCode(slot, false, state);
  const isInline = node.type === "mdxJsxTextElement" || node.type === "mdxTextExpression";
  const island: MdxJsx = {
    type: isInline ? "mdxJsxTextElement" : "mdxJsxFlowElement",
    name: state.context.internalName("PostIsland"),
    attributes: [
      createAttribute("name", isJsx(node) ? node.name! : `{${truncateCode(node.value)}}`),
      ...(isInline ? [createAttribute("inline", true)] : []),
    ],
    children: slots.length === 1 ? slots[0]!.children : slots,
    ...(node.position && { position: node.position }),
  };
  // Several slots are an array of fragments, so that each has its index.
  const children = slots.length === 1 ? "[_islandProps.children]" : "_islandProps.children";
  const text = toJs(program as never, { handlers: jsx })
    .value.trim()
    .replace(/;$/, "");
  const source = `(_islandProps) => { const ${ISLAND} = ${children}; return (${text}); }`;
  state.islands.push({ node: island, source, references });
  return island;
}

/** Throws PostError for names that code in the browser does not have. */
function assertAvailable(
  references: ReadonlySet<string>,
  node: Node,
  context: CompileContext,
): void {
  for (const name of references)
    if (context.knownComponents.has(name) && !context.code.names.has(name))
      context.fail(
        node,
        `<${name}> is rendered by the server and can't be inside code that runs in the browser`,
      );
  assertDefined(references, node, context);
}

/** Returns a copy of `node` whose runs of static children are references to new `slots`. */
function withSlots(node: MdxJsx, slots: MdxJsx[]): MdxJsx {
  const children: Node[] = [];
  let slot: MdxJsx | null = null;
  for (const child of node.children) {
    if (codeOf(child) !== undefined) {
      slot = null;
      children.push(isJsx(child) ? withSlots(child, slots) : child);
    } else if (slot) {
      slot.children.push(child);
    } else {
      children.push(createSlotReference(slots.length));
      slot = { type: "mdxJsxFlowElement", name: null, attributes: [], children: [child] };
      slots.push(slot);
    }
  }
  return { ...node, children };
}

/** Returns `{_island[index]}`. */
function createSlotReference(index: number): MdxExpression {
  const estree = programOf({
    type: "MemberExpression",
    computed: true,
    optional: false,
    object: { type: "Identifier", name: ISLAND },
    property: { type: "Literal", value: index },
  });
  return { type: "mdxFlowExpression", value: "", data: { estree } };
}

/** A layout gets the whole post, so it can't be an island. */
function addLayout(serverNames: Set<string>, context: CompileContext): void {
  const statement = context.code.statements.find(({ names }) => names.includes("MDXLayout"));
  if (context.code.interactive.has("MDXLayout"))
    context.fail(
      statement?.position,
      "the default export is the layout of the whole post, which runs on the server: it can't use hooks or handlers",
    );
  serverNames.add("MDXLayout");
}

/** Bundles the statements that `names` need, and the islands. */
async function bundle(
  target: "server" | "browser",
  islands: readonly Island[],
  names: ReadonlySet<string>,
  context: CompileContext,
): Promise<CodeBundle> {
  const { file, codeFiles = {} } = context.input;
  const needed = neededNames(names, context.code.statements);
  const body = context.code.statements.flatMap((statement) => keepNeeded(statement, needed));
  const program: Program = { type: "Program", sourceType: "module", body };
  const statements = toJs(program as never, { handlers: jsx }).value;
  const entry =
    target === "browser"
      ? `${statements}\n${needed.has("props") ? "const props = {};\n" : ""}${RETURN}({ islands: [\n${islands.map(({ source }) => source).join(",\n")}\n] });`
      : `${statements}\n${RETURN}({ ${[...names]
          .filter((name) => context.code.names.has(name))
          .sort()
          .join(", ")} });`;
  return bundleCode({ file, entry, files: codeFiles, target });
}

/** Returns `names` and everything that their declarations refer to. */
function neededNames(
  names: ReadonlySet<string>,
  statements: readonly CodeStatement[],
): Set<string> {
  const needed = new Set(names);
  let size = -1;
  while (size !== needed.size) {
    size = needed.size;
    for (const statement of statements)
      if (statement.names.some((name) => needed.has(name)))
        for (const name of statement.references) needed.add(name);
  }
  return needed;
}

const isImport = (node: Program["body"][number]): node is ImportDeclaration =>
  node.type === "ImportDeclaration";

/** Returns the statement without the names that nothing needs; imports for their effect stay. */
function keepNeeded({ node, names }: CodeStatement, needed: ReadonlySet<string>): Program["body"] {
  if (!isImport(node)) return names.some((name) => needed.has(name)) ? [node] : [];
  const specifiers = node.specifiers.filter(({ local }) => needed.has(local.name));
  return specifiers.length > 0 || names.length === 0 ? [{ ...node, specifiers }] : [];
}

/** Returns the stylesheets of both bundles, each once. */
async function joinStyles(
  server: string,
  browser: string,
  context: CompileContext,
): Promise<string> {
  if (browser === "" || browser === server) return server;
  if (server === "") return browser;
  const { file, codeFiles = {} } = context.input;
  const all = new Set([...context.code.names]);
  const statements = context.code.statements.flatMap((statement) => keepNeeded(statement, all));
  const program: Program = { type: "Program", sourceType: "module", body: statements };
  const exported = [...all].sort().join(", ");
  const entry = `${toJs(program as never, { handlers: jsx }).value}\n${RETURN}({ ${exported} });`;
  return (await bundleCode({ file, entry, files: codeFiles, target: "server" })).css;
}

function createPostCode(
  script: string | null,
  css: string,
  { input }: CompileContext,
): PostCode | null {
  if (script === null && css === "") return null;
  const browser = script === null ? "" : POST_CODE_PREFIX + script;
  assertScriptSize(browser + css, input.file);
  const hash = createHash("sha256").update(`${browser}\0${css}`).digest("hex").slice(0, 32);
  return { hash, browser, css };
}

/** Returns `const {Box, items} = _code`, which the compiled post starts with. */
function createBindings(names: readonly string[]): MdxEsm {
  const program: Program = {
    type: "Program",
    sourceType: "module",
    body: [
      {
        type: "VariableDeclaration",
        kind: "const",
        declarations: [
          {
            type: "VariableDeclarator",
            id: {
              type: "ObjectPattern",
              properties: names.map((name) => ({
                type: "Property" as const,
                kind: "init" as const,
                key: { type: "Identifier" as const, name },
                value: { type: "Identifier" as const, name },
                method: false as const,
                shorthand: true,
                computed: false,
              })),
            },
            init: { type: "Identifier", name: CODE },
          },
        ],
      },
    ],
  };
  return { type: "mdxjsEsm", value: "", data: { estree: program } };
}

function expressionOf(node: MdxExpression): Expression {
  const [statement] = node.data!.estree!.body;
  return (statement as { expression: Expression }).expression;
}

function objectOf(values: Record<string, string>): Expression {
  return {
    type: "ObjectExpression",
    properties: Object.entries(values).map(([name, value]) => ({
      type: "Property",
      kind: "init",
      key: { type: "Identifier", name },
      value: { type: "Literal", value },
      method: false,
      shorthand: false,
      computed: false,
    })),
  };
}
