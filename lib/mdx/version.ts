// Names the compiler, so that what an older one wrote is not taken for current.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What decides, beside our own files, how a post comes out. */
const packages = ["next-mdx-remote", "@mdx-js/mdx", "remark-gfm", "remark-math", "katex", "shiki", "hast-util-raw", "hast-util-to-html", "github-slugger"];

let version: string | undefined;

/**
 * 12 hex characters that change when lib/mdx or a package it uses changes. Part of every key under which a compiled
 * post is cached: a deploy with a new compiler then compiles anew by itself. Read once per process.
 */
export function compilerVersion(root: string = process.cwd()): string {
  if (version) return version;
  const hash = createHash("sha256");
  const folder = join(/* turbopackIgnore: true */ root, "lib/mdx");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".ts") && !/\.test\.ts$|^testing\b/.test(name)).sort()) {
    hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  }
  for (const name of packages) {
    const { version: installed } = JSON.parse(readFileSync(join(/* turbopackIgnore: true */ root, "node_modules", name, "package.json"), "utf8")) as { version: string };
    hash.update(`${name}@${installed}\0`);
  }
  version = hash.digest("hex").slice(0, 12);
  return version;
}
