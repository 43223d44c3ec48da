// Bundles the code of a post with esbuild: once for the server, once for the browser.

import { createHash } from "node:crypto";
import { posix } from "node:path";
import type {
  BuildOptions,
  Loader,
  Message,
  OnLoadResult,
  OnResolveResult,
  Plugin,
  TransformOptions,
} from "esbuild";
import { PostError } from "#lib/posts/post-error.ts";
import { type CodeFiles, nextReplacements, resolveModule } from "./resolve-module.ts";

export interface CodeBundle {
  /** A function expression of `require`, which returns what the entry gives to RETURN. */
  readonly script: string;
  readonly css: string;
}

export interface BundleInput {
  /** The path of the post, whose imports are relative to it. */
  readonly file: string;
  /** An ES module, with JSX. */
  readonly entry: string;
  readonly files: CodeFiles;
  readonly target: "server" | "browser";
}

/** The largest script of a post in bytes. A chart library has about 300 kB. */
const MAX_SCRIPT_BYTES = 2 * 1_048_576;
type Transform = (script: string, options: TransformOptions) => Promise<{ code: string }>;
const NAMESPACE = "post";
/** The suffix of an entry's path. No file has it. */
const ENTRY = "?entry";
/** The function that an entry calls with its result. It needs less code than exports do. */
export const RETURN = "_codeReturn";

/** Options of every build of a post's code. */
export const codeBuildOptions = {
  bundle: true,
  write: false,
  outdir: "out",
  format: "cjs",
  platform: "browser",
  target: "es2022",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
  minifySyntax: true,
  minifyWhitespace: true,
  tsconfigRaw: "{}",
  external: ["react", "react-dom"],
} satisfies BuildOptions;

/** Bundles `entry`. Throws PostError with the file and line of what is wrong. */
export async function bundleCode(input: BundleInput): Promise<CodeBundle> {
  const { build, transform } = await import("esbuild");
  try {
    const { outputFiles } = await build({
      ...codeBuildOptions,
      entryPoints: ["entry"],
      plugins: [createFilesPlugin({ ...input, entryPath: input.file + ENTRY })],
    });
    const textOf = (ending: string) =>
      outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
    const body = textOf(".js");
    const script = `function (require) { "use strict"; let result; const ${RETURN} = (value) => { result = value; }; ${body}\nreturn result; }`;
    return {
      // Function names are kept on the server, where the log shows which component failed.
      script: input.target === "server" ? script : await minifyNames(script, transform),
      css: textOf(".css").trim(),
    };
  } catch (error) {
    throw toPostError(error, input.file);
  }
}

/**
 * Stops esbuild's process. A terminated worker would leave it behind as a zombie, because only that
 * worker's thread can reap it.
 */
export async function stopBundler(): Promise<void> {
  const { stop } = await import("esbuild");
  await stop();
}

/** Shortens names. Not done while bundling, because esbuild would also shorten the names of CSS. */
async function minifyNames(script: string, transform: Transform): Promise<string> {
  const { code } = await transform(`module.exports = ${script}`, {
    minify: true,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
  });
  return code
    .trim()
    .replace(/^module\.exports=/, "")
    .replace(/;$/, "");
}

/** Throws PostError if a script is too large. */
export function assertScriptSize(script: string, file: string): void {
  const bytes = Buffer.byteLength(script);
  if (bytes <= MAX_SCRIPT_BYTES) return;
  const megabytes = (bytes / 1_048_576).toFixed(1);
  throw new PostError({
    file,
    line: 1,
    reason: `its components and their packages are ${megabytes} MB; the limit is ${MAX_SCRIPT_BYTES / 1_048_576} MB. Import a smaller package`,
  });
}

interface PluginInput {
  /** The path of the entry: one of `files`, or another one, whose text is `entry`. */
  readonly entryPath: string;
  readonly entry?: string;
  readonly files: CodeFiles;
}

/** Reads modules from `files` and packages from the site's node_modules. */
export function createFilesPlugin({ entryPath, entry, files }: PluginInput): Plugin {
  return {
    name: NAMESPACE,
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args): Promise<OnResolveResult | undefined> => {
        if (args.kind === "entry-point") return { path: entryPath, namespace: NAMESPACE };
        if (args.namespace !== NAMESPACE || args.pluginData === "package") return undefined;
        if (args.kind === "url-token") return resolveCssUrl(args.path);
        const importer = args.importer.replace(/\?.*$/, "");
        const resolved = resolveModule(args.path, importer, files);
        switch (resolved.kind) {
          case "file":
            return { path: versionedPath(resolved.path, files), namespace: NAMESPACE };
          case "react":
            return { path: args.path, external: true };
          case "next":
            return { path: args.path, namespace: NAMESPACE };
          case "none":
            return { errors: [{ text: resolved.reason }] };
          case "package": {
            const found = await build.resolve(args.path, {
              kind: args.kind,
              resolveDir: process.cwd(),
              pluginData: "package",
            });
            return found.errors.length === 0
              ? found
              : { errors: [{ text: missingPackage(resolved.name) }] };
          }
        }
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }): OnLoadResult => {
        if (path === entryPath && entry !== undefined) return { contents: entry, loader: "jsx" };
        if (Object.hasOwn(nextReplacements, path))
          return { contents: nextReplacements[path]!, loader: "jsx" };
        const name = unversionedPath(path);
        return { contents: files[name]!, loader: loaderOf(name) };
      });
    },
  };
}

/** Images and fonts of a stylesheet are not part of the bundle. */
function resolveCssUrl(url: string): OnResolveResult {
  return /^(?:https?:|data:|\/|#)/.test(url)
    ? { path: url, external: true }
    : {
        errors: [
          {
            text: `url(${url}) in a stylesheet can't be a file next to the post; use an absolute URL, or a file in public/`,
          },
        ],
      };
}

/** Returns the sentence for a package that is not installed. */
export function missingPackage(name: string): string {
  return `the package "${name}" is not installed on this site; add it with: npm install ${name}`;
}

/**
 * Adds a hash to the name of a CSS module, because esbuild derives class names from it: two posts
 * may have a styles.module.css each.
 */
function versionedPath(path: string, files: CodeFiles): string {
  if (!path.endsWith(".module.css")) return path;
  const hash = createHash("sha256").update(`${path}\0${files[path]!}`).digest("hex").slice(0, 8);
  return path.replace(/\.module\.css$/, `-${hash}.module.css`);
}

function unversionedPath(path: string): string {
  return path.replace(/-[0-9a-f]{8}(?=\.module\.css$)/, "");
}

/** Loaders by extension. JSX may be in any script, as in most build tools. */
const loaders: Readonly<Record<string, Loader>> = {
  ".tsx": "tsx",
  ".ts": "ts",
  ".jsx": "jsx",
  ".js": "jsx",
  ".mjs": "jsx",
  ".json": "json",
  ".css": "css",
};

/** Returns esbuild's loader for a file. */
export function loaderOf(path: string): Loader {
  if (path.endsWith(".module.css")) return "local-css";
  return loaders[posix.extname(path)] ?? "text";
}

/** Returns an error of esbuild as a PostError of the file that it names, or else of `path`. */
export function toPostError(error: unknown, path: string): PostError {
  if (error instanceof PostError) return error;
  const [first] = (error as { errors?: Message[] }).errors ?? [];
  let reason = first?.text ?? (error as Error).message;
  let location = first?.location;
  const file = location?.file.replace(/^post:/, "").replace(/\?.*$/, "");
  if (location?.file.endsWith(ENTRY)) {
    // Line numbers in the entry are not those of the post.
    if (!first!.pluginName) reason += `, in: ${location.lineText.trim()}`;
    location = null;
  }
  return new PostError(
    {
      file: file || path,
      line: location?.line ?? 1,
      ...(location && { column: location.column + 1 }),
      reason: reason.slice(0, 500),
    },
    { cause: error },
  );
}
