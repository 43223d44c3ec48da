// Resolves an import in a post or its components to a file or package.

import { isBuiltin } from "node:module";
import { posix } from "node:path";

/** The contents of the files that a post may import, by path below the content root. */
export type CodeFiles = Readonly<Record<string, string>>;

export type ResolvedModule =
  | { readonly kind: "file"; readonly path: string }
  /** React, which the page provides. */
  | { readonly kind: "react" }
  /** A component of Next.js that has a plain replacement. */
  | { readonly kind: "next" }
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "none"; readonly reason: string };

/** Extensions that an import may leave out, in order. */
const impliedExtensions = [".tsx", ".ts", ".jsx", ".js", ".mjs", ".json"];
/** Files that can be imported. */
export const codeFilePattern = /\.(?:tsx|ts|jsx|js|mjs|json|css)$/;

/** Replacements for the components of Next.js that components next to posts import. */
export const nextReplacements: Readonly<Record<string, string>> = {
  "next/link": "export default ({ prefetch, replace, scroll, ...rest }) => <a {...rest} />;",
  "next/image":
    'export default ({ src, fill, priority, quality, placeholder, blurDataURL, unoptimized, ...rest }) => <img src={String(src?.src ?? src)} loading="lazy" {...rest} />;',
};

/**
 * Returns what `source` means in the file `importer` (a path below the content root). `kind:
 * "none"` has a sentence that says what to write instead.
 */
export function resolveModule(source: string, importer: string, files: CodeFiles): ResolvedModule {
  if (/^\.\.?(?:\/|$)/.test(source)) return resolveFile(source, importer, files);
  if (/^react(?:-dom)?(?:\/|$)/.test(source)) return { kind: "react" };
  if (Object.hasOwn(nextReplacements, source)) return { kind: "next" };
  if (isBuiltin(source)) return none(`"${source}" is part of Node.js and can't be used in a post`);
  if (/^(?:[@~]?\/|#|\w+:|src\/)/.test(source))
    return none(
      `"${source}" can't be imported: aliases and URLs are not supported; use a path relative to this file, such as "./name"`,
    );
  if (/^next(?:\/|$)/.test(source))
    return none(
      `"${source}" can't be used in a post; of Next.js, only next/link and next/image can`,
    );
  return { kind: "package", name: packageName(source) };
}

/** Returns every path that a relative import may resolve to, most likely first. */
export function candidatePaths(source: string, importer: string): string[] {
  const path = posix.join(posix.dirname(importer), source);
  const withoutJs = /\.(?:js|jsx|mjs)$/.test(path) ? path.replace(/\.\w+$/, "") : null;
  return [
    path,
    ...impliedExtensions.map((extension) => path + extension),
    ...impliedExtensions.map((extension) => posix.join(path, `index${extension}`)),
    // TypeScript lets "./x.js" mean x.ts.
    ...(withoutJs === null ? [] : [`${withoutJs}.ts`, `${withoutJs}.tsx`]),
  ];
}

function resolveFile(source: string, importer: string, files: CodeFiles): ResolvedModule {
  const candidates = candidatePaths(source, importer);
  const path = candidates.find((candidate) => Object.hasOwn(files, candidate));
  if (path !== undefined) return { kind: "file", path };
  if (candidates[0]!.startsWith(".."))
    return none(`"${source}" is outside the content folder; move it into that folder`);
  if (
    /\.\w+$/.test(source) &&
    !codeFilePattern.test(source) &&
    !/\.(?:config|module)$/.test(source)
  )
    return none(
      `"${source}" can't be imported; only .tsx, .ts, .jsx, .js, .mjs, .json and .css files can. Show an image with ![text](${source})`,
    );
  return none(`"${source}" does not exist; check the path, which is relative to this file`);
}

const none = (reason: string) => ({ kind: "none", reason }) as const;

/** Returns "@scope/name" for "@scope/name/part". */
function packageName(source: string): string {
  return source.split("/", source.startsWith("@") ? 2 : 1).join("/");
}
