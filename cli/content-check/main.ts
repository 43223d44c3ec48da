// Compiles every post and reports failures with file, line and reason.
// Run: npm run content:check [-- --dir DIR] [--offline] [--json]

import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseCommandLine } from "#cli/command-line.ts";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import { PostError } from "#lib/posts/post-error.ts";
import { listLocalComponents } from "#lib/posts/source/component-registry.ts";
import { decodePost } from "#lib/posts/source/decode-post.ts";
import { parsePost } from "#lib/posts/source/parse-post.ts";
import { fetchText } from "#lib/outbound/fetch/guarded-fetch.ts";
import {
  checkPosts,
  formatReportJson,
  formatReportLines,
  type CheckItem,
  type CheckReport,
} from "#lib/posts/mdx/check-posts.ts";
import { createCompiler } from "#lib/posts/mdx/compiler.ts";
import type { PostImages } from "#lib/posts/image.ts";

process.env.LOG_LEVEL ??= "error"; // keeps log lines out of the --json output

const usage = `Usage: npm run content:check [-- --dir DIR] [--offline] [--json]

Compiles every .md and .mdx file below DIR and prints, for each that fails, "file:line: reason".
  --dir DIR   any blog (slug.mdx, slug/index.mdx); missing front matter is only a warning.
              Default: ${join(env.CONTENT_DIR, "blog")}, by the site's own rules.
  --offline   don't fetch the links that become link previews
  --json      one line of JSON: {"posts","ok","failed":[{file,line,reason}],"warnings","ms"}
Exit code: 0 all compile, 1 some fail, 2 DIR can't be read.`;

const { flags } = parseCommandLine(usage, {
  dir: { type: "string" },
  offline: { type: "boolean" },
  json: { type: "boolean" },
});
const ownDir = join(env.CONTENT_DIR, "blog");
const dir = flags.dir ?? ownDir;
if (!existsSync(dir)) {
  console.error(`There is no folder ${dir}.`);
  process.exit(2);
}
const isOwnBlog = existsSync(ownDir) && realpathSync(dir) === realpathSync(ownDir);

const compiler = createCompiler({
  workers: Math.max(1, availableParallelism()),
  maxQueue: Number.POSITIVE_INFINITY,
});
const files = listFiles(dir, /\.mdx?$/);
const components = isOwnBlog ? listLocalComponents(env.CONTENT_DIR) : {};
const publicImages = isOwnBlog ? listImages("public", "/") : {};
const report = await checkPosts(files.map(readCheckItem), compiler.compile);
await compiler.close();
const deadLinkWarnings = flags.offline ? [] : await findDeadLinks(report);
const fullReport = { ...report, warnings: [...report.warnings, ...deadLinkWarnings] };
if (flags.json) console.log(formatReportJson(fullReport));
else for (const line of formatReportLines(fullReport)) console.log(line);
process.exitCode = report.failed.length > 0 ? 1 : 0;

function readCheckItem(path: string): CheckItem {
  // The site's own posts keep the path that the site uses; others get their path below DIR.
  const file = isOwnBlog ? `blog/${path}` : path;
  try {
    const text = decodePost(file, readFileSync(join(dir, path)));
    const post = parsePost(file, text, { lenient: !isOwnBlog });
    const images = { ...publicImages, ...listImages(join(dir, dirname(path)), "./") };
    const missing = findMissingBanner(
      post.frontMatter.banner,
      images,
      text.split("\n").slice(0, post.bodyLine - 1),
    );
    if (missing && isOwnBlog) return { problem: { file, field: "banner", ...missing } };
    return {
      // Another blog has different fields, so our list of allowed fields wouldn't help.
      warnings: isOwnBlog
        ? post.warnings
        : [
            ...post.warnings.map((warning) => warning.replace(/; allowed are .*$/, "")),
            ...(missing ? [`line ${missing.line}: ${missing.reason}`] : []),
          ],
      input: {
        file,
        body: post.body,
        bodyLine: post.bodyLine,
        images,
        // Another blog may show images from any host.
        imageHosts: isOwnBlog ? siteConfig.images.hosts : ["*"],
        localComponents: Object.hasOwn(components, post.slug) ? components[post.slug]! : [],
        missingImages: isOwnBlog ? "fail" : "warn",
      },
    };
  } catch (error) {
    if (error instanceof PostError) return { problem: error.problem };
    throw error;
  }
}

/**
 * Returns the problem if a local banner is missing; null if it exists, is external, or isn't set.
 */
function findMissingBanner(
  banner: string | undefined,
  images: PostImages,
  frontMatter: readonly string[],
): { line: number; reason: string } | null {
  if (banner === undefined || !/^\.?\//.test(banner) || Object.hasOwn(images, banner)) return null;
  const line = frontMatter.findIndex((each) => /^(?:banner|"banner"|'banner')\s*:/.test(each)) + 1;
  return { line: line || 1, reason: `the banner ${banner} is not part of this site` };
}

/**
 * Returns paths below `folder`, with forward slashes. Doesn't follow links to folders, which may
 * form a cycle.
 */
function listFiles(folder: string, pattern: RegExp, prefix = ""): string[] {
  const files = readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    if (entry.isDirectory()) return listFiles(folder, pattern, `${prefix}${entry.name}/`);
    return entry.isFile() && pattern.test(entry.name) ? [prefix + entry.name] : [];
  });
  return files.sort();
}

/** Returns the images below `folder`. The sizes are placeholders: no check uses them. */
function listImages(folder: string, prefix: string): PostImages {
  if (!existsSync(folder)) return {};
  const files = listFiles(folder, /\.(png|jpe?g|gif|webp|avif|svg|mp4|webm|mp3|ogg)$/i);
  return Object.fromEntries(
    files.map((path) => [prefix + path, { src: prefix + path, width: 1, height: 1 }]),
  );
}

async function findDeadLinks({ embeds }: CheckReport): Promise<string[]> {
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
