// Compiles every post as the site does, and reports failures with file, line and reason.
// Run: npm run content:check [-- --dir DIR] [--strict] [--offline] [--json]

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommandLine } from "#cli/command-line.ts";
import { closeCacheFile } from "#lib/cache/cache-file.ts";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import { fetchText } from "#lib/outbound/fetch/guarded-fetch.ts";
import {
  type ContentReport,
  checkContent,
  formatReportJson,
  formatReportLines,
} from "#lib/posts/catalog/check-content.ts";
import { openSiteContent } from "#lib/posts/catalog/site-content.ts";
import { closeImageProcess } from "#lib/posts/images/run-image-job.ts";
import { closeCompiler } from "#lib/posts/mdx/compiler.ts";

const usage = `Usage: npm run content:check [-- --dir DIR] [--strict] [--offline] [--json]

Compiles every post as the site does and prints, for each that fails, "file:line: reason".
  --dir DIR   the posts of another blog, as if DIR were this site's content/blog.
              Default: the site's own content, from disk or Git.
  --strict    warnings fail, too: missing images, broken links, …
  --offline   don't fetch the links that become link previews
  --json      one line of JSON: {"posts","ok","failed":[{file,line,reason}],"warnings","ms"}
Exit code: 0 all compile, 1 some fail, 2 the content can't be read.`;

const { flags } = parseCommandLine(usage, {
  dir: { type: "string" },
  strict: { type: "boolean" },
  offline: { type: "boolean" },
  json: { type: "boolean" },
});
if (flags.dir !== undefined && !existsSync(flags.dir)) {
  console.error(`There is no folder ${flags.dir}.`);
  process.exit(2);
}

// An empty cache, so that no earlier result counts and the site's own cache doesn't change.
const cacheFolder = mkdtempSync(join(tmpdir(), "content-check-"));
process.env.CACHE_FILE = join(cacheFolder, "cache.db");
process.env.COMPILE_WORKERS ??= String(Math.min(16, availableParallelism()));
process.env.LOG_LEVEL ??= "error"; // keeps log lines out of the --json output

try {
  process.exitCode = await check();
} catch (error) {
  if (!isAppError(error)) throw error;
  console.error(error.message);
  process.exitCode = 2;
} finally {
  await closeCompiler();
  closeImageProcess();
  closeCacheFile();
  rmSync(cacheFolder, { recursive: true, force: true });
}

async function check(): Promise<number> {
  const { context } = openSiteContent(flags.dir);
  const built = await checkContent(context, env.COMPILE_WORKERS);
  const deadLinks = flags.offline ? [] : await findDeadLinks(built);
  const report = toOwnPaths({ ...built, warnings: [...built.warnings, ...deadLinks] });
  if (flags.json) console.log(formatReportJson(report));
  else for (const line of formatReportLines(report)) console.log(line);
  return report.failed.length > 0 || (flags.strict && report.warnings.length > 0) ? 1 : 0;
}

/** With --dir, paths are relative to DIR. */
function toOwnPaths(report: ContentReport): ContentReport {
  if (flags.dir === undefined) return report;
  return {
    ...report,
    failed: report.failed.map((each) => ({ ...each, file: each.file.replace(/^blog\//, "") })),
    warnings: report.warnings.map((warning) => warning.replace(/^blog\//, "")),
  };
}

async function findDeadLinks({ embeds }: ContentReport): Promise<string[]> {
  const warnings: string[] = [];
  await forEachConcurrently([...embeds], 4, async ([url, shownIn]) => {
    const reason = await fetchText(url, { shouldTruncate: true }).then(
      ({ status }) => (status >= 400 ? `status ${status}` : null),
      (error: Error) => error.message,
    );
    if (reason)
      warnings.push(
        ...shownIn.map((file) => `${file}:1: the link ${url} has no preview: ${reason}`),
      );
  });
  return warnings.sort();
}
