// Compiles one post in this thread: which steps run, in which order, and how long each took. The worker calls it.

import { pathToFileURL } from "node:url";
import { isAbsolute } from "node:path";
import { raw } from "hast-util-raw";
import type { Root as MarkdownRoot } from "mdast";
import remarkGfm from "remark-gfm";
import { PostError } from "#lib/posts/post-error.ts";
import { WORDS_PER_MINUTE, type CompiledPost, type CompileInput } from "./compiled-post.ts";
import { createCompileContext, type CompileContext } from "./compile-context.ts";
import { assertAllowedHtml } from "./plugins/assert-allowed-html.ts";
import { convertAlerts } from "./plugins/github-alerts.ts";
import { convertCallouts } from "./plugins/callouts.ts";
import { preserveCodeInfo, renderCodeBlocks } from "./plugins/code-blocks.ts";
import { insertTableOfContents } from "./plugins/table-of-contents.ts";
import { embedBareUrls, embedIframes } from "./plugins/embeds.ts";
import { collapseStaticHtml } from "./plugins/collapse-static-html.ts";
import { linkHeadings } from "./plugins/headings.ts";
import { convertImages } from "./plugins/images.ts";
import { extractImports } from "./plugins/imports.ts";
import { convertJsx } from "./plugins/jsx-elements.ts";
import { normalizeLinks } from "./plugins/links.ts";
import { usesMath, renderMath } from "./plugins/math.ts";
import { countWords, toPlainText } from "./plugins/plain-text.ts";
import { wrapTables } from "./plugins/tables.ts";
import { normalizeHtml } from "./normalize-html.ts";
import { MdxSyntaxError, compileToFunctionBody, type Plugin } from "./serialize.ts";
import type { Root } from "./mdx-tree.ts";

/** The compiled post. Throws a PostError for everything that is wrong with the post itself. */
export async function compileInThread(input: CompileInput): Promise<CompiledPost> {
  const draft = createCompileContext(input);
  const watch = createStopwatch();
  const format = input.file.endsWith(".md") ? "md" : "mdx";
  try {
    const plugins: Plugin[] = [remarkGfm];
    if (usesMath(input.body)) plugins.push((await import("remark-math")).default as Plugin);
    plugins.push(...(await loadPlugins(input.extraPlugins ?? [])));
    const compiledSource = await compileToFunctionBody(
      format === "mdx" ? normalizeHtml(input.body) : input.body,
      {
        format,
        plugins,
        markdown: async (tree) => {
          watch.lap("parse");
          await runMarkdownSteps(tree, draft);
          watch.lap("remark");
        },
        html: async (tree) => {
          await runHtmlSteps(tree, draft, format, watch.lap);
        },
      },
    );
    watch.lap("serialize");
    const words = countWords(draft.text);
    return {
      compiledSource,
      headings: draft.headings,
      text: draft.text,
      words,
      readingMinutes: Math.max(1, Math.ceil(words / WORDS_PER_MINUTE)),
      components: [...draft.components].sort(),
      localImports: draft.localImports,
      embeds: [...draft.embeds],
      warnings: draft.warnings,
      stages: watch.stages,
    };
  } catch (error) {
    throw toPostError(error, input);
  }
}

async function runMarkdownSteps(tree: MarkdownRoot, draft: CompileContext): Promise<void> {
  extractImports(tree as never, draft);
  convertAlerts(tree);
  embedBareUrls(tree, draft);
  preserveCodeInfo(tree);
  await renderMath(tree, draft);
}

async function runHtmlSteps(
  tree: Root,
  draft: CompileContext,
  format: "md" | "mdx",
  lap: (name: string) => void,
): Promise<void> {
  if (format === "md") parseRawHtml(tree);
  convertJsx(tree, draft);
  embedIframes(tree, draft);
  assertAllowedHtml(tree, draft);
  convertCallouts(tree, draft);
  linkHeadings(tree, draft);
  insertTableOfContents(tree, draft);
  convertImages(tree, draft);
  normalizeLinks(tree, draft);
  wrapTables(tree);
  draft.text = toPlainText(tree);
  lap("rehype");
  await renderCodeBlocks(tree, draft);
  lap("highlight");
  collapseStaticHtml(tree);
  lap("freeze");
}

/** Markdown may hold HTML as text; MDX has it as elements already. */
function parseRawHtml(tree: Root): void {
  const parsed = raw(tree as never, {
    passThrough: ["mdxJsxFlowElement", "mdxJsxTextElement"],
  }) as unknown as Root;
  tree.children = parsed.children;
}

async function loadPlugins(files: readonly string[]): Promise<Plugin[]> {
  const modules = await Promise.all(
    files.map(
      (file) =>
        import(isAbsolute(file) ? pathToFileURL(file).href : file) as Promise<{ default: Plugin }>,
    ),
  );
  return modules.map((module) => module.default);
}

function createStopwatch() {
  const stages: { name: string; ms: number }[] = [];
  let since = performance.now();
  return {
    stages,
    lap(name: string) {
      const now = performance.now();
      stages.push({ name, ms: Math.round((now - since) * 100) / 100 });
      since = now;
    },
  };
}

function toPostError(error: unknown, input: CompileInput): unknown {
  if (error instanceof PostError) return error;
  const at = (line: number) => line + input.bodyLine - 1;
  if (error instanceof MdxSyntaxError) {
    // The parser names places in its message too, counted from the start of the body.
    const reason = error.message.replace(
      /\b(\d+):(\d+)(?:-(\d+):(\d+))?(?=[),])/g,
      (_, line, column, line2, column2) =>
        line2
          ? `${at(Number(line))}:${column}-${at(Number(line2))}:${column2}`
          : `${at(Number(line))}:${column}`,
    );
    // What is missing at the end is reported behind the last line; a person looks at that line.
    const lastLine = input.body.trimEnd().split("\n").length;
    return new PostError({
      file: input.file,
      line: at(Math.min(error.line, lastLine)),
      column: error.column,
      reason,
    });
  }
  if (error instanceof RangeError) {
    return new PostError(
      { file: input.file, line: input.bodyLine, reason: "something in it is nested too deeply" },
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new PostError(
    {
      file: input.file,
      line: input.bodyLine,
      reason: `the compiler failed: ${reason.slice(0, 500)}`,
    },
    { cause: error },
  );
}
