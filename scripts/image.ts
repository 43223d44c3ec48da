// image.ts [--out DIR] : puts into a folder what the image runs, and nothing else. The Dockerfile does the same with this file.
// It needs a build (npm run image makes one): Next's standalone server, and what that one's tracer does not see.

import { createRequire, stripTypeScriptTypes } from "node:module";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { out: { type: "string", default: join(root, ".data", "image") } },
});
const out = resolve(values.out);
const standalone = join(root, ".next", "standalone");

/** Programs that run beside the server, outside of Next's bundles; with all that they import. */
const PROGRAMS = [
  "scripts/boot.ts",
  "scripts/launch.ts",
  "scripts/apply-migrations.ts",
  "scripts/admin.ts",
  "scripts/rebuild-counters.ts",
  "scripts/migrate-postgres.ts",
  "lib/migrate/load-worker.ts",
  "lib/migrate/checksum-worker.ts",
  "lib/mdx/worker.ts",
  "lib/cache/page-cache.ts",
];

/** Read at runtime by name. */
const FILES = [
  "litefs.yml",
  "package.json",
  "package-lock.json",
  "scripts/server-flags.mjs",
  "prisma/migrations",
  "content",
  "public",
  ".next/static",
  "lib/mdx",
  "node_modules/@fontsource/instrument-sans/files",
  "node_modules/@fontsource/newsreader/files",
];

/** Taken along by tracers that can't tell, or for other machines than this. Pages below app/bench are in bench builds only. */
const isUseless = (path: string) =>
  /(^|\/)(docs|tests|e2e|(?<!^\.next\/server\/app\/)bench)(\/|$)|\.test\.tsx?$|\.(d\.ts|d\.mts|d\.cts|map)$|(^|\/)lib\/mdx\/testing(\/|$)|\/README\.md$/i.test(
    path,
  );

type Tracer = {
  nodeFileTrace(
    files: string[],
    options: object,
  ): Promise<{ fileList: Set<string>; warnings: Set<Error> }>;
};
const { nodeFileTrace } = createRequire(import.meta.url)(
  "next/dist/compiled/@vercel/nft",
) as Tracer;

/** Copies a file or folder of the checkout to the same place in the image. Links stay links: they point within the image. */
function copy(path: string, from = root): void {
  cpSync(join(from, path), join(out, path), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !isUseless(relative(from, source)),
  });
}

if (!existsSync(join(standalone, "server.js")))
  throw new Error("There is no build to take: npm run image");
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

for (const name of readdirSync(standalone)) if (name !== "public") copy(name, standalone);
for (const path of FILES) if (existsSync(join(root, path))) copy(path);

// The tracer reads JavaScript only, Node runs the TypeScript: it is shown what Node makes of it.
const { fileList } = await nodeFileTrace(
  PROGRAMS.map((file) => join(root, file)),
  {
    base: root,
    processCwd: root,
    conditions: ["node", "import"],
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
  if (isUseless(path) || existsSync(join(out, path))) continue;
  mkdirSync(dirname(join(out, path)), { recursive: true });
  copy(path);
}

// Nothing of the developer's own configuration, and one mark of what this is.
for (const name of [".env", ".env.local", ".env.production"])
  rmSync(join(out, name), { force: true });
writeFileSync(
  join(out, "IMAGE"),
  `${readFileSync(join(root, ".next", "BUILD_ID"), "utf8").trim()}\n`,
);
console.log(out);
