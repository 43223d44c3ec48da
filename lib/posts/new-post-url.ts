// Builds the link with which an admin starts a post in the Git host's editor.

import { formatIsoDate } from "#lib/core/format.ts";

/** Fills newPostUrl of site.config.ts with a file name and a template. Returns null without one. */
export function newPostUrl(template: string | undefined, nowMs: number): string | null {
  if (!template) return null;
  const text = `---\ntitle: A new post\ndate: ${formatIsoDate(nowMs)}\ndescription: What it is about, in one sentence.\ncategories: []\ndraft: true\n---\n\nWrite here.\n`;
  const values: Readonly<Record<string, string>> = {
    file: "a-new-post.mdx",
    text: encodeURIComponent(text),
  };
  return template.replace(/\{(\w+)\}/g, (all, name: string) => values[name] ?? all);
}
