// Which React components lie beside posts, and the module that lets the build include them.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** By slug, the files that a folder post may import, as written in the post: './counter.tsx'. */
export type LocalComponentFiles = Readonly<Record<string, readonly string[]>>;

/** The components beside the folder posts below `contentDir`/blog, sorted; tests and hidden files are none. */
export function listLocalComponents(contentDir: string): LocalComponentFiles {
  const blog = join(contentDir, "blog");
  if (!existsSync(blog)) return {};
  const found: Record<string, string[]> = {};
  for (const folder of readdirSync(blog, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (
      !folder.isDirectory() ||
      !["index.mdx", "index.md"].some((file) => existsSync(join(blog, folder.name, file)))
    )
      continue;
    const files = readdirSync(join(blog, folder.name), { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^[^.].*(?<!\.test)\.tsx$/.test(entry.name))
      .map((entry) => `./${entry.name}`)
      .sort();
    if (files.length > 0) found[folder.name] = files;
  }
  return found;
}

/** The text of content/components.generated.ts for `files`. Imports are lazy: a page loads the components of its own post only. */
export function renderRegistryModule(files: LocalComponentFiles): string {
  const quote = (value: string) => JSON.stringify(value);
  const entries = Object.entries(files).map(
    ([slug, names]) =>
      `  ${quote(slug)}: {\n${names.map((name) => `    ${quote(name)}: () => import(${quote(`./blog/${slug}/${name.slice(2)}`)}),\n`).join("")}  },\n`,
  );
  return `// Made by scripts/generate-component-registry.ts: the components beside folder posts. Not to be edited.

export const localComponents: Readonly<Record<string, Readonly<Record<string, () => Promise<Record<string, unknown>>>>>> = {
${entries.join("")}};
`;
}
