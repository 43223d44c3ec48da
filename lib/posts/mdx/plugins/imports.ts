// Extracts the import statements of a post, or rejects them.

import type { ImportDeclaration } from "estree";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import type { MdxEsm, Root } from "#lib/posts/mdx/mdx-tree.ts";

/** Imports of Next.js components, which become plain elements. */
const frameworkAliases: Record<string, "Image" | "Link"> = {
  "next/image": "Image",
  "next/link": "Link",
};
const extensions = [
  "",
  ".tsx",
  ".ts",
  ".jsx",
  ".js",
  "/index.tsx",
  "/index.ts",
  "/index.jsx",
  "/index.js",
];

/**
 * Removes every import. Throws PostError for an export, or an import that is not part of the build.
 */
export function extractImports(tree: Root, context: CompileContext): void {
  tree.children = tree.children.filter((node) => {
    if (node.type !== "mdxjsEsm") return true;
    readStatements(node, context);
    return false;
  });
}

function readStatements(node: MdxEsm, context: CompileContext): void {
  for (const statement of node.data?.estree?.body ?? []) {
    // acorn counts lines from the start of the body, because MDX passes it the statement's
    // position.
    const position = statement.loc
      ? {
          position: {
            start: { line: statement.loc.start.line, column: statement.loc.start.column + 1 },
          },
        }
      : node;
    if (statement.type !== "ImportDeclaration") {
      context.fail(
        position,
        "export statements are not supported in a post; put code in a file beside it and import that",
      );
    }
    readImport(statement, position, context);
  }
}

function readImport(
  statement: ImportDeclaration,
  position: Parameters<CompileContext["fail"]>[0],
  context: CompileContext,
): void {
  const source = String(statement.source.value);
  const alias = frameworkAliases[source];
  if (alias) {
    for (const specifier of statement.specifiers) context.aliases.set(specifier.local.name, alias);
    return;
  }
  if (!source.startsWith("./") && !source.startsWith("../")) {
    context.fail(
      position,
      `"${source}" can't be imported: a post imports only files beside it ("./name.tsx")`,
    );
  }
  if (statement.specifiers.length === 0)
    context.fail(
      position,
      `the import of "${source}" binds no name; give it one, as in: import Name from "${source}"`,
    );
  const file = resolveImportFile(source, context.input.localComponents ?? []);
  if (file === null) {
    // Restarting only helps for files that can be built.
    const hint = isBuildableComponent(source, context.input.file)
      ? ": components are part of the build, so restart (npm run dev or npm start) after adding one"
      : "";
    context.fail(position, `${source} is not part of this build${hint}`);
  }
  for (const specifier of statement.specifiers) {
    const imported =
      specifier.type === "ImportDefaultSpecifier"
        ? "default"
        : specifier.type === "ImportNamespaceSpecifier"
          ? "*"
          : specifier.imported.type === "Identifier"
            ? specifier.imported.name
            : String(specifier.imported.value);
    context.localImports.push({ name: specifier.local.name, file, imported });
  }
}

function resolveImportFile(source: string, files: readonly string[]): string | null {
  const plain = (path: string) => path.replace(/^\.\//, "");
  for (const extension of extensions) {
    const match = files.find((file) => plain(file) === plain(source) + extension);
    if (match !== undefined) return match;
  }
  return null;
}

/** The build includes only .tsx files directly beside the index file of a folder post. */
function isBuildableComponent(source: string, file: string): boolean {
  return (
    /(^|\/)index\.mdx?$/.test(file) &&
    /^\.\/[^/.][^/]*$/.test(source) &&
    (source.endsWith(".tsx") || !/\.\w+$/.test(source)) &&
    !/\.test(\.tsx)?$/.test(source)
  );
}
