// Import statements of a post: taken out of the tree and reported, or refused with the reason.

import type { ImportDeclaration } from "estree";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import type { MdxEsm, Root } from "#lib/posts/mdx/mdx-tree.ts";

/** Imports of other frameworks that a post brings along and that we show in our own way. */
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

/** Removes every import; throws a PostError for an export and for an import that isn't part of the build. */
export function extractImports(tree: Root, draft: CompileContext): void {
  tree.children = tree.children.filter((node) => {
    if (node.type !== "mdxjsEsm") return true;
    readStatements(node, draft);
    return false;
  });
}

function readStatements(node: MdxEsm, draft: CompileContext): void {
  for (const statement of node.data?.estree?.body ?? []) {
    // acorn counts lines from the start of the body, as MDX gives it the place of the statement.
    const at = statement.loc
      ? {
          position: {
            start: { line: statement.loc.start.line, column: statement.loc.start.column + 1 },
          },
        }
      : node;
    if (statement.type !== "ImportDeclaration") {
      draft.fail(
        at,
        "export statements are not supported in a post; put code in a file beside it and import that",
      );
    }
    readImport(statement, at, draft);
  }
}

function readImport(
  statement: ImportDeclaration,
  at: Parameters<CompileContext["fail"]>[0],
  draft: CompileContext,
): void {
  const source = String(statement.source.value);
  const alias = frameworkAliases[source];
  if (alias) {
    for (const specifier of statement.specifiers) draft.aliases.set(specifier.local.name, alias);
    return;
  }
  if (!source.startsWith("./") && !source.startsWith("../")) {
    draft.fail(
      at,
      `"${source}" can't be imported: a post imports only files beside it ("./name.tsx")`,
    );
  }
  if (statement.specifiers.length === 0)
    draft.fail(
      at,
      `the import of "${source}" binds no name; give it one, as in: import Name from "${source}"`,
    );
  const file = resolveImportFile(source, draft.input.localComponents ?? []);
  if (file === null) {
    // Only of a file that could become one of a build, a new start is worth a try.
    const hint = isBuildableComponent(source, draft.input.file)
      ? ": components are built in, so start again (npm run dev or npm start) after adding one"
      : "";
    draft.fail(at, `${source} is not part of this build${hint}`);
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
    draft.localImports.push({ name: specifier.local.name, file, imported });
  }
}

function resolveImportFile(source: string, files: readonly string[]): string | null {
  const plain = (path: string) => path.replace(/^\.\//, "");
  for (const extension of extensions) {
    const found = files.find((file) => plain(file) === plain(source) + extension);
    if (found !== undefined) return found;
  }
  return null;
}

/** Only components (.tsx) directly beside the index file of a folder post are built in. */
function isBuildableComponent(source: string, file: string): boolean {
  return (
    /(^|\/)index\.mdx?$/.test(file) &&
    /^\.\/[^/.][^/]*$/.test(source) &&
    (source.endsWith(".tsx") || !/\.\w+$/.test(source)) &&
    !/\.test(\.tsx)?$/.test(source)
  );
}
