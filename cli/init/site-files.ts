// Writes the owner's files: site.config.ts, .env, an about page, and a first post.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { stringify } from "yaml";

export const FEATURES = ["teams", "calls", "members", "newsletter"] as const;
export type Feature = (typeof FEATURES)[number];

export interface Answers {
  readonly name: string;
  readonly author: string;
  readonly description: string;
  /** The origin of the public URL, or "" if it is not known yet. */
  readonly url: string;
  readonly features: readonly Feature[];
}

const CONFIG_FILE = "site.config.ts";
const EXAMPLES_FILE = ".examples";
/** The author in the configuration of the example site. */
const EXAMPLE_AUTHOR = "The Lectern authors";

/** Returns true if the owner has edited the configuration, which replacing it would lose. */
export function hasOwnConfig(): boolean {
  if (!existsSync(CONFIG_FILE)) return false;
  // Without Git, only the author tells. "??" is a file that Git doesn't track.
  const { status, stdout } = spawnSync("git", ["status", "--porcelain", "--", CONFIG_FILE], {
    encoding: "utf8",
  });
  const isEdited = status === 0 && stdout !== "" && !stdout.startsWith("??");
  return isEdited || !readFileSync(CONFIG_FILE, "utf8").includes(EXAMPLE_AUTHOR);
}

export function writeConfig({ name, author, description, features }: Answers): void {
  const switches = FEATURES.map((feature) => `${feature}: ${features.includes(feature)}`);
  const text = (value: string) => JSON.stringify(value);
  writeFileSync(
    CONFIG_FILE,
    `// Says whose site this is. Every field is optional; a change needs a restart, not a build.
// Secrets and the machine's settings are in .env. Your editor explains each field.

import { defineSiteConfig } from "#lib/core/define-site-config.ts";

export default defineSiteConfig({
  name: ${text(name)},
  description: ${text(description)},
  author: {
    name: ${text(author)},
    bio: ${text(description)},
  },
  features: { ${switches.join(", ")} },
});
`,
  );
}

/** Adds the public URL, and keeps example members out of the database. Returns the names it added. */
export function addEnvironment({ url }: Answers): string[] {
  const text = existsSync(".env") ? readFileSync(".env", "utf8") : "";
  const wanted = { ...(url && { SITE_URL: url }), SEED: "off" };
  const missing = Object.entries(wanted).filter(
    ([name]) => !new RegExp(`^\\s*${name}=.+`, "m").test(text),
  );
  if (missing.length > 0) {
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    const lines = missing.map((pair) => `${pair.join("=")}\n`).join("");
    // The owner adds secrets to this file.
    writeFileSync(".env", `${before}${lines}`, { mode: 0o600 });
  }
  return missing.map(([name]) => name);
}

/** Writes a first post and an about page, unless they exist. Returns the paths of new files. */
export function writeFirstContent(contentDir: string, answers: Answers, today: string): string[] {
  const { name, author, description } = answers;
  const post = `---
${stringify({
  title: "Hello",
  date: today,
  description: `The first post on ${name}.`,
}).trim()}
---

This is the first post on this site. Edit it in \`${contentDir}/blog/hello.mdx\`, or delete it and write your own.
`;
  const about = `---
${stringify({ title: `About ${name}`, description }).trim()}
---

This site is written by ${escapeMdx(author)}. Edit this page in \`${contentDir}/pages/about.mdx\`.
`;
  const files = [
    { path: "blog/hello.mdx", folder: "blog/hello", text: post },
    { path: "pages/about.mdx", folder: "pages/about", text: about },
  ];
  return files.flatMap(({ path, folder, text }) => {
    const file = join(contentDir, path);
    if (existsSync(file) || existsSync(join(contentDir, folder))) return [];
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return [file];
  });
}

const escapeMdx = (text: string) => text.replace(/[\\`*_{}[\]<>#$~|]/g, "\\$&");

/** Returns the example posts and pages that still exist, below the content folder. */
export function listExamples(contentDir: string): string[] {
  const file = join(contentDir, EXAMPLES_FILE);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^(?:blog|pages)\/[^/]+$/.test(line) && normalize(line) === line)
    .filter((path) => existsSync(join(contentDir, path)));
}

/** Deletes the example posts and pages with everything next to them. Returns their paths. */
export function removeExamples(contentDir: string): string[] {
  const paths = listExamples(contentDir);
  for (const path of paths) rmSync(join(contentDir, path), { recursive: true });
  rmSync(join(contentDir, EXAMPLES_FILE), { force: true });
  return paths;
}
