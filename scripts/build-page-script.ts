// Bundles the script of pages without React, and lists the client components that it replaces
// (docs/decisions/064-pages-without-react.md). Runs after Next's build.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { type Plugin, build, transform } from "esbuild";
import type { PageScript } from "#lib/http/page-script.ts";

const ENTRY = "components/page/page-script.ts";
const OUT_DIR = join(".next", "static", "page");
/** The same as Next's. */
const BROWSERS = ["chrome111", "edge111", "firefox111", "safari16.4"];
/** Components that do nothing in the browser without React, or that the script replaces. */
const REPLACED = [
  "app/error.tsx",
  "app/global-error.tsx",
  "app/layout-scripts.tsx",
  "components/post/enhanced.tsx",
  "components/post/post-search-starter.tsx",
  "components/post/reading-tracker.tsx",
  "components/ui/static-html-element.tsx",
];
/** Next's router, which these pages don't need: their links load documents. */
const ROUTER =
  /^node_modules\/next\/dist\/(esm\/)?(client\/components|lib\/framework|lib\/metadata)\//;

/** Adds a style sheet to the document when the module that imports it is loaded. */
const styleElements: Plugin = {
  name: "style-elements",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
      return {
        contents: `document.head.append(Object.assign(document.createElement("style"), { textContent: ${JSON.stringify(code)} }));`,
      };
    });
  },
};

async function bundleScript(): Promise<string> {
  const { metafile } = await build({
    entryPoints: [ENTRY],
    outdir: OUT_DIR,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    target: BROWSERS,
    plugins: [styleElements],
    metafile: true,
  });
  const [path] = Object.entries(metafile.outputs).find(
    ([, { entryPoint }]) => entryPoint === ENTRY,
  )!;
  return `/_next/${path.split("/").slice(1).join("/")}`;
}

interface ClientManifest {
  readonly clientModules: Readonly<Record<string, { readonly id: number | string }>>;
}

/** Returns the modules of client components in Next's build with their IDs. */
function listClientModules(): Map<string, number | string> {
  const dir = join(".next", "server", "app");
  const modules = new Map<string, number | string>();
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith("_client-reference-manifest.js")) continue;
    const context = createContext({ globalThis: {} as { __RSC_MANIFEST?: object } });
    runInContext(readFileSync(join(dir, name), "utf8"), context);
    for (const manifest of Object.values(context.globalThis.__RSC_MANIFEST as object))
      for (const [path, { id }] of Object.entries((manifest as ClientManifest).clientModules))
        modules.set(path.replace("[project]/", ""), id);
  }
  return modules;
}

const modules = listClientModules();
const missing = REPLACED.filter((path) => !modules.has(path));
if (missing.length > 0) throw new Error(`No client components: ${missing.join(", ")}`);
const script: PageScript = {
  src: await bundleScript(),
  moduleIds: [...modules]
    .filter(([path]) => REPLACED.includes(path) || ROUTER.test(path))
    .map(([, id]) => id),
};
writeFileSync(join(".next", "page-script.json"), JSON.stringify(script));
