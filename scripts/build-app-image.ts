// Copies what the image runs into a folder (--out DIR): Next's standalone output of the last build,
// and the programs next to it with their imports. Also used by the Dockerfile.

import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

const rootDir = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { out: { type: "string", default: join(rootDir, ".data", "image") } },
});
const outDir = resolve(values.out);
const standaloneDir = join(rootDir, ".next", "standalone");

/** Programs outside of Next's bundles. The image contains everything they import. */
const PROGRAMS = [
  "server/site.ts",
  "server/supervisor/main.ts",
  "server/launcher/main.ts",
  "server/launcher/apply-migrations.ts",
  "server/backup/main.ts",
  "cli/admin/main.ts",
  "cli/backup/main.ts",
  "cli/doctor/main.ts",
  "cli/import/main.ts",
  "cli/rebuild-counters/main.ts",
  "cli/migrate-postgres/main.ts",
  "cli/migrate-postgres/load-rows.worker.ts",
  "cli/migrate-postgres/checksum.worker.ts",
  "lib/posts/mdx/compile-worker.ts",
  "lib/posts/images/image-process.ts",
  "lib/cache/next-cache-handler.ts",
  // The owner's file, which they may have removed.
  ...(existsSync(join(rootDir, "site.config.ts")) ? ["site.config.ts"] : []),
];

/** Files that programs read at runtime by name. */
const FILES = [
  "litefs.yml",
  "mdx-components.tsx",
  "package.json",
  "package-lock.json",
  "server/server-flags.mjs",
  "prisma/migrations",
  "content",
  "public",
  ".next/static",
  ".next/page-script.json",
  "lib/posts/mdx",
  // esbuild finds its program by the name of the platform.
  "node_modules/esbuild",
  "node_modules/@esbuild",
  "node_modules/@fontsource/instrument-sans/files",
  "node_modules/@fontsource/newsreader/files",
];

/** Matches files that the tracers include but the image doesn't need. */
const isExcluded = (path: string) =>
  /^scripts\/|^\.data\/|^cli\/doctor\/checks\/developer-tools|(^|\/)(docs|tests|e2e|cli\/cluster|bench)(\/|$)|\.test\.tsx?$|\.(d\.ts|d\.mts|d\.cts|map)$|\/README\.md$/i.test(
    path,
  );

const CODE_EXTENSIONS = ["", ".tsx", ".jsx", ".ts", ".js", ".mjs"];

/** Returns what the code imports, except in fenced code blocks. */
const listImports = (text: string) =>
  [
    ...text
      .replace(/^( *)(```|~~~)[^]*?^\1\2/gm, "")
      .matchAll(/^\s*(?:import|export)\b[^"';]*["']([^"']+)["']/gm),
  ].map(([, specifier]) => specifier!);

/**
 * Returns the names of the packages that posts on disk import, directly or through files next to
 * them.
 */
function listPostPackages(): string[] {
  const dir = join(rootDir, "content");
  if (!existsSync(dir)) return [];
  const queue = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".mdx"))
    .map((path) => join(dir, path));
  const seen = new Set(queue);
  const names: string[] = [];
  for (let file = queue.pop(); file !== undefined; file = queue.pop())
    for (const specifier of listImports(readFileSync(file, "utf8"))) {
      const name = /^(?:@[\w.-]+\/)?\w[\w.-]*/.exec(specifier)?.[0];
      // The page provides React.
      if (name !== undefined && !/^react(?:-dom)?$/.test(name)) names.push(name);
      if (!specifier.startsWith(".")) continue;
      const target = join(dirname(file), specifier);
      for (const path of CODE_EXTENSIONS.flatMap((end) => [
        target + end,
        join(target, "index") + end,
      ]))
        if (!seen.has(path) && statSync(path, { throwIfNoEntry: false })?.isFile()) {
          seen.add(path);
          queue.push(path);
        }
    }
  return names;
}

/** Copies the packages that posts import, and their dependencies: the compiler bundles them. */
function copyPostPackages(): void {
  const queue = listPostPackages();
  const copied = new Set<string>();
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const path = join("node_modules", name);
    if (copied.has(name) || !existsSync(join(rootDir, path, "package.json"))) continue;
    copied.add(name);
    copyIntoImage(path);
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(rootDir, path, "package.json"), "utf8"),
    ) as { dependencies?: Record<string, string> };
    queue.push(...Object.keys(dependencies));
  }
  if (copied.size > 0) console.error(`packages of posts: ${[...copied].sort().join(", ")}`);
}

type FileTracer = {
  nodeFileTrace(
    files: string[],
    options: object,
  ): Promise<{ fileList: Set<string>; warnings: Set<Error> }>;
};
const { nodeFileTrace } = createRequire(import.meta.url)(
  "next/dist/compiled/@vercel/nft",
) as FileTracer;

/**
 * Copies a file or folder of the checkout to the same place in the image. Symbolic links are
 * preserved, since they point within the image.
 */
function copyIntoImage(path: string, from = rootDir): void {
  cpSync(join(from, path), join(outDir, path), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !isExcluded(relative(from, source)),
  });
}

if (existsSync(outDir) && readdirSync(outDir).length > 0 && !existsSync(join(outDir, "IMAGE")))
  throw new Error(`${outDir} contains other files. Choose another folder, or delete it.`);
if (!existsSync(join(standaloneDir, "server.js")))
  throw new Error("There is no build. Run: npm run image");
rmSync(outDir, { recursive: true, force: true });
mkdirSync(outDir, { recursive: true });
// Marks the folder as an image, also if this is interrupted.
writeFileSync(
  join(outDir, "IMAGE"),
  `${readFileSync(join(rootDir, ".next", "BUILD_ID"), "utf8").trim()}\n`,
);

for (const name of readdirSync(standaloneDir))
  if (name !== "public" && name !== "server.js") copyIntoImage(name, standaloneDir);
for (const path of FILES) if (existsSync(join(rootDir, path))) copyIntoImage(path);
copyPostPackages();

// The tracer reads JavaScript only, so it gets the code without types.
const { fileList } = await nodeFileTrace(
  PROGRAMS.map((file) => join(rootDir, file)),
  {
    base: rootDir,
    processCwd: rootDir,
    conditions: ["node", "import"],
    // Next has already traced its runtime files. Its compiler is not needed.
    ignore: ["node_modules/next/**", ".data/**"],
    readFile: (path: string) => {
      if (!existsSync(path) || !lstatSync(path, { throwIfNoEntry: false })) return null;
      const text = readFileSync(path);
      return path.endsWith(".ts") && !path.includes("node_modules")
        ? stripTypeScriptTypes(text.toString())
        : text;
    },
  },
);
for (const path of fileList) {
  if (isExcluded(path) || existsSync(join(outDir, path))) continue;
  mkdirSync(dirname(join(outDir, path)), { recursive: true });
  copyIntoImage(path);
}

// Removes the developer's configuration.
for (const name of [".env", ".env.local", ".env.production"])
  rmSync(join(outDir, name), { force: true });
console.log(outDir);
