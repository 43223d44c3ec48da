// Reads the commands of a runbook, so that a test runs what the page says.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Returns the `sh` blocks below `heading` of docs/runbooks/`page`, up to the next heading of its
 * level or above. Throws if there is no such heading, or no block below it.
 */
export function readRunbook(page: string, heading: string): string {
  const lines = readFileSync(join("docs", "runbooks", page), "utf8").split("\n");
  const level = (line: string) => /^(#+) /.exec(line)?.[1]!.length ?? Infinity;
  const first = lines.findIndex(
    (line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading,
  );
  if (first < 0) throw new Error(`docs/runbooks/${page} has no heading "${heading}".`);
  const commands: string[] = [];
  let isCommand = false;
  for (const line of lines.slice(first + 1)) {
    if (isCommand && line.trim() === "```") isCommand = false;
    else if (isCommand) commands.push(line.trim());
    else if (line.trim() === "```sh") isCommand = true;
    else if (level(line) <= level(lines[first]!)) break;
  }
  if (commands.length === 0)
    throw new Error(`docs/runbooks/${page} has no commands below "${heading}".`);
  return commands.join("\n");
}
