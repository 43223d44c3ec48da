// Builds the site that benchmarks measure: a copy of this checkout in .data/bench-site with the
// routes of bench/site/app added.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BENCH_SITE_DIR } from "./bench-site.ts";

/** Modules of the copy in which one import is redirected to a replaceable double. */
const REPLACED_IMPORTS = [
  {
    file: "app/reads/record-beacon.sql.ts",
    from: '"#lib/db/sql.ts"',
    to: '"#bench/site/replaceable-write.ts"',
  },
  {
    file: "app/blog/[slug]/post-parts.tsx",
    from: '"#lib/posts/page-data.ts"',
    to: '"#bench/site/replaceable-page-data.ts"',
  },
];
const NOT_COPIED = new Set(["node_modules", "docs", "e2e", "tests"]);

/**
 * Hard-links a folder's files: the bundler accepts no packages from outside the project, and a copy
 * would take a gigabyte.
 */
function linkTree(source: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) linkTree(from, to);
    else if (entry.isFile()) linkSync(from, to);
    else cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
}

function runInCopy(...args: string[]): void {
  const { status } = spawnSync(process.execPath, args, {
    cwd: BENCH_SITE_DIR,
    stdio: "inherit",
    env: {
      ...process.env,
      NODE_ENV: "production",
      PRECOMPRESSED: "on",
      NEXT_TELEMETRY_DISABLED: "1",
    },
  });
  if (status !== 0) throw new Error(`${args.join(" ")} failed in ${BENCH_SITE_DIR}`);
}

rmSync(BENCH_SITE_DIR, { recursive: true, force: true });
for (const name of readdirSync("."))
  if (!name.startsWith(".") && !NOT_COPIED.has(name))
    cpSync(name, join(BENCH_SITE_DIR, name), { recursive: true });
linkTree("node_modules", join(BENCH_SITE_DIR, "node_modules"));
cpSync("bench/site/app", join(BENCH_SITE_DIR, "app"), { recursive: true });
for (const { file, from, to } of REPLACED_IMPORTS) {
  const path = join(BENCH_SITE_DIR, file);
  const text = readFileSync(path, "utf8");
  if (!text.includes(from)) throw new Error(`${file} does not import ${from}`);
  writeFileSync(path, text.replaceAll(from, to));
}
runInCopy("node_modules/next/dist/bin/next", "build");
runInCopy("scripts/build-page-script.ts");
runInCopy("scripts/precompress.ts");
