// Adds the old site's redirects to the redirects file.

import { existsSync, readFileSync } from "node:fs";
import type { ExportedRedirect } from "./exported-site.ts";
import { comparablePath } from "./plan-addresses.ts";
import { writeAtomically } from "./write-atomically.ts";

/** Adds the rules for paths that don't have one yet, and returns their number. */
export function addRedirects(
  file: string,
  rules: readonly ExportedRedirect[],
  { platform, isDryRun }: { platform: string; isDryRun: boolean },
): number {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const known = new Set(
    text
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([from]) => from!.startsWith("/"))
      .map(([from, next]) => ruleKey(from!, /^\w+=/.test(next ?? "") ? next : undefined)),
  );
  const lines = rules.flatMap(({ from, query, to, status }) => {
    const key = ruleKey(from, query);
    if (known.has(key) || /\s/.test(from + to)) return [];
    known.add(key);
    return [[from, ...(query ? [query] : []), to, status].join("  ")];
  });
  if (lines.length > 0 && !isDryRun) {
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    writeAtomically(
      file,
      `${before}\n# From the ${platform} import\n${lines.join("\n")}\n`.trimStart(),
    );
  }
  return lines.length;
}

const ruleKey = (from: string, query = "") => `${comparablePath(from)} ${query}`.trim();
