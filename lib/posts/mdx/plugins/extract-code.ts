// Extracts the import and export statements of a post, and determines which names need a browser.

import type { ImportDeclaration, VariableDeclaration } from "estree";
import type { CodeStatement, CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { replaceNodes, type MdxEsm, type Positioned, type Root } from "#lib/posts/mdx/mdx-tree.ts";
import { evaluateExpression } from "#lib/posts/mdx/static-value.ts";
import { bundleCode, missingPackage } from "#lib/posts/mdx/code/bundle.ts";
import { inspectModule } from "#lib/posts/mdx/code/inspect-module.ts";
import {
  declaredNames,
  findReferences,
  isGlobalName,
  needsBrowser,
} from "#lib/posts/mdx/code/names-in-code.ts";
import { resolveModule } from "#lib/posts/mdx/code/resolve-module.ts";

type Statement = CodeStatement["node"];

/** Imports of Next.js components, which become plain elements. */
const frameworkAliases: Record<string, string> = { "next/image": "img", "next/link": "a" };
/** Names that the compiled post declares. */
const reservedNames =
  /^(?:MDXContent|MDXLayout|_(?:createMdxContent|missingMdxReference|components?\d*|jsxs?|Fragment|code\w*|island\w*|serverJsx))$/;

/**
 * Removes every import and export from `tree`, and records what they bind in the context. Throws
 * PostError for a statement that can't work, and in a strict post for any but imports of Next.js.
 */
export async function extractCode(tree: Root, context: CompileContext): Promise<void> {
  replaceNodes(tree, (node) => {
    if (node.type !== "mdxjsEsm") return undefined;
    for (const statement of node.data?.estree?.body ?? [])
      readStatement(statement, positionOf(statement, node), context);
    return [];
  });
  for (const statement of context.code.statements) await checkStatement(statement, context);
  markInteractive(context);
}

/** Acorn counts lines from the start of the body, because MDX passes it the statement's position. */
function positionOf({ loc }: Statement, node: MdxEsm): Positioned {
  return loc
    ? { position: { start: { line: loc.start.line, column: loc.start.column + 1 } } }
    : node;
}

function readStatement(node: Statement, position: Positioned, context: CompileContext): void {
  if (node.type === "ImportDeclaration") {
    const alias = frameworkAliases[String(node.source.value)];
    if (alias) for (const { local } of node.specifiers) context.aliases.set(local.name, alias);
    if (alias && context.input.trust === "strict") return;
  }
  if (context.input.trust === "strict")
    context.fail(
      position,
      "imports and exports are not supported in posts by others (content.trust in site.config.ts is strict)",
    );
  const statement = toDeclaration(node);
  if (!statement) return;
  const names =
    statement.type === "ImportDeclaration"
      ? statement.specifiers.map(({ local }) => local.name)
      : declaredNames(statement as never);
  for (const name of names) {
    if (node.type !== "ExportDefaultDeclaration" && reservedNames.test(name))
      context.fail(position, `the name ${name} is used by the compiler; choose another one`);
    if (context.code.names.has(name)) context.fail(position, `the name ${name} is declared twice`);
    context.code.names.add(name);
  }
  recordConstants(statement, context);
  context.code.statements.push({
    node: statement,
    position,
    names,
    references: statement.type === "ImportDeclaration" ? new Set() : findReferences(statement),
  });
}

/** Returns the declaration of an export; null for exports that bind nothing in the post. */
function toDeclaration(node: Statement): Statement | null {
  if (node.type === "ExportNamedDeclaration") return node.declaration ?? null;
  if (node.type === "ExportAllDeclaration") return null;
  if (node.type !== "ExportDefaultDeclaration") return node;
  // MDX calls the default export of a post its layout.
  const { declaration } = node;
  const init =
    declaration.type === "FunctionDeclaration"
      ? { ...declaration, type: "FunctionExpression" }
      : declaration.type === "ClassDeclaration"
        ? { ...declaration, type: "ClassExpression" }
        : declaration;
  return {
    type: "VariableDeclaration",
    kind: "const",
    declarations: [
      { type: "VariableDeclarator", id: { type: "Identifier", name: "MDXLayout" }, init },
    ],
  } as VariableDeclaration;
}

/** Records `export const name = "text"`, so that `{name}` is text and needs no code. */
function recordConstants(statement: Statement, context: CompileContext): void {
  if (statement.type !== "VariableDeclaration" || statement.kind !== "const") return;
  for (const { id, init } of statement.declarations) {
    const result = id.type === "Identifier" && init ? evaluateExpression(init) : null;
    if (result && id.type === "Identifier") context.constants.set(id.name, result.value);
  }
}

async function checkStatement(statement: CodeStatement, context: CompileContext): Promise<void> {
  const { node, position } = statement;
  if (node.type === "ImportDeclaration") {
    const source = String(node.source.value);
    const isInteractive = await checkImport(node, source, position, context);
    if (isInteractive && statement.names.length === 0 && !source.endsWith(".css"))
      context.fail(
        position,
        `${source} runs in the browser, so a component must import it: the post itself runs on the server`,
      );
    if (isInteractive) for (const name of statement.names) context.code.interactive.add(name);
    return;
  }
  assertDefined(statement.references, position, context);
  if (needsBrowser(node)) for (const name of statement.names) context.code.interactive.add(name);
}

/** Returns whether the module needs a browser. */
async function checkImport(
  node: ImportDeclaration,
  source: string,
  position: Positioned | undefined,
  context: CompileContext,
): Promise<boolean> {
  const { file, codeFiles = {} } = context.input;
  const resolved = resolveModule(source, file, codeFiles);
  if (resolved.kind === "none") return context.fail(position, resolved.reason);
  if (resolved.kind === "package") await assertInstalled(source, position, context);
  if (resolved.kind !== "file") return resolved.kind === "package" || needsBrowser(node);
  const inspected = await inspectModule(resolved.path, codeFiles);
  for (const specifier of node.specifiers) {
    const name = importedName(specifier);
    if (name === "*" || inspected.exports === null || inspected.exports.has(name)) continue;
    const names = [...inspected.exports]
      .sort()
      .map((each) => (each === "default" ? "a default" : each));
    context.fail(
      position,
      `${source} does not export ${name === "default" ? "a default" : name}; it exports ${names.join(", ") || "nothing"}`,
    );
  }
  return inspected.isInteractive;
}

function importedName(specifier: ImportDeclaration["specifiers"][number]): string {
  if (specifier.type === "ImportDefaultSpecifier") return "default";
  if (specifier.type === "ImportNamespaceSpecifier") return "*";
  const { imported } = specifier;
  return imported.type === "Identifier" ? imported.name : String(imported.value);
}

/** Throws PostError at the import if the package is missing or can't run in a browser. */
async function assertInstalled(
  source: string,
  position: Positioned | undefined,
  context: CompileContext,
): Promise<void> {
  try {
    await bundleCode({
      file: context.input.file,
      entry: `import ${JSON.stringify(source)};`,
      files: {},
      target: "server",
    });
  } catch (error) {
    const { problem } = error as { problem?: { reason: string } };
    context.fail(position, problem?.reason ?? missingPackage(source));
  }
}

/** Throws PostError if a name is neither declared in the post nor known everywhere. */
export function assertDefined(
  references: ReadonlySet<string>,
  place: Positioned | undefined,
  context: CompileContext,
  alsoKnown: ReadonlySet<string> = new Set(),
): void {
  for (const name of references) {
    if (context.code.names.has(name) || alsoKnown.has(name) || isGlobalName(name)) continue;
    if (name === "props") continue; // of the content, as in MDX
    context.fail(
      place,
      `${name} is not defined: import it, export it in the post, or write \\{ for a brace in text`,
    );
  }
}

/** Marks the declarations that refer to an interactive name, directly or not. */
function markInteractive({ code }: CompileContext): void {
  let isChanged = true;
  while (isChanged) {
    isChanged = false;
    for (const { names, references } of code.statements) {
      if (![...references].some((name) => code.interactive.has(name))) continue;
      for (const name of names) {
        isChanged ||= !code.interactive.has(name);
        code.interactive.add(name);
      }
    }
  }
}
