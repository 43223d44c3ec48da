// Determines what a module next to a post exports, and whether it needs a browser.

import type { Metafile } from "esbuild";
import { codeBuildOptions, createFilesPlugin, loaderOf, toPostError } from "./bundle.ts";
import { textNeedsBrowser } from "./names-in-code.ts";
import type { CodeFiles } from "./resolve-module.ts";

export interface CodeModule {
  /** Null if they are known only at runtime, as in CommonJS. */
  readonly exports: ReadonlySet<string> | null;
  /** Whether it or a module that it imports needs a browser. */
  readonly isInteractive: boolean;
}

/** Returns facts about the module `path` of `files`. Throws PostError with the file and line. */
export async function inspectModule(path: string, files: CodeFiles): Promise<CodeModule> {
  const { build } = await import("esbuild");
  try {
    const { metafile } = await build({
      ...codeBuildOptions,
      format: "esm",
      metafile: true,
      entryPoints: ["entry"],
      plugins: [createFilesPlugin({ entryPath: path, files })],
    });
    const { exports } = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint)!;
    const isOpen = metafile.inputs[`post:${path}`]?.format !== "esm" || hasOpenExports(metafile);
    return {
      exports: isOpen ? null : new Set(exports),
      isInteractive: await isInteractive(metafile, files),
    };
  } catch (error) {
    throw toPostError(error, path);
  }
}

/** `export *` of a package or of CommonJS has names that are known only at runtime. */
function hasOpenExports({ inputs }: Metafile): boolean {
  return Object.values(inputs).some(({ format }) => format === "cjs");
}

async function isInteractive({ inputs }: Metafile, files: CodeFiles): Promise<boolean> {
  const { transform } = await import("esbuild");
  for (const [name, { imports }] of Object.entries(inputs)) {
    // Most packages expect a browser, and nothing here can tell which do not.
    if (!name.startsWith("post:")) return true;
    if (imports.some(({ path }) => path.startsWith("react-dom"))) return true;
    const path = name.slice("post:".length);
    if (!Object.hasOwn(files, path) || !/\.(?:[tj]sx?|mjs)$/.test(path)) continue;
    // Without types and comments.
    const { code } = await transform(files[path]!, {
      loader: loaderOf(path),
      jsx: "automatic",
      logLevel: "silent",
      tsconfigRaw: "{}",
    });
    if (textNeedsBrowser(code)) return true;
  }
  return false;
}
