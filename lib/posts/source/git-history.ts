// Reads from Git when the files in a checkout last changed.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ContentFile } from "./content-source.ts";

const TIMEOUT_MS = 10_000;
/** About 50,000 changes of files. The rest of a longer history is ignored. */
const MAX_OUTPUT_BYTES = 8 * 1_048_576;
const NO_BLOB = /^0+$/;
/** A line of `git log --raw`: modes, blob SHAs before and after, the kind of change, the path. */
const RAW_LINE = /^:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*\t(.+)$/;

/**
 * Returns when each of `files` last changed, by path: lib/posts/source/content-source.ts. `dir` is
 * the content root or, with `prefix`, that folder of it. Empty without Git or its history, as in a
 * container. Omits uncommitted text.
 */
export async function readGitHistory(
  dir: string,
  files: readonly ContentFile[],
  prefix?: string,
): Promise<ReadonlyMap<string, number>> {
  const pending = new Map(files.map(({ path, blobSha }) => [path, blobSha]));
  const changedMsByPath = new Map<string, number>();
  const start = prefix === undefined ? 0 : prefix.length + 1;
  const log = await runGitLog(
    dir,
    files.map(({ path }) => path.slice(start)),
  );
  let committedMs = 0;
  for (const line of log.split("\n")) {
    if (/^\d+$/.test(line)) committedMs = Number(line) * 1_000;
    const [, before, after, name] = RAW_LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const path = prefix === undefined ? name : `${prefix}/${name}`;
    // The first line of a file is its newest commit.
    if (pending.get(path) === after && !NO_BLOB.test(before!))
      changedMsByPath.set(path, committedMs);
    pending.delete(path);
  }
  return changedMsByPath;
}

async function runGitLog(dir: string, paths: readonly string[]): Promise<string> {
  const args = [
    ...["-C", dir, "-c", "core.quotePath=false", "--literal-pathspecs"],
    ...["log", "--format=%ct", "--raw", "--no-abbrev", "--no-renames", "--relative", "--"],
    ...paths,
  ];
  try {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: "utf8" } as const;
    return (await promisify(execFile)("git", args, options)).stdout;
  } catch (error) {
    // If the history is too long, its newest part has been read.
    return (error as { code?: string }).code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER"
      ? (error as unknown as { stdout: string }).stdout
      : "";
  }
}
