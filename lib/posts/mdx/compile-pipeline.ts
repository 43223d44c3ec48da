// Compiles a post on this thread: runs the steps in order and measures each. Called by the worker.

import { pathToFileURL } from "node:url";
import { isAbsolute } from "node:path";
import { raw } from "hast-util-raw";
import type { Root as MarkdownRoot } from "mdast";
import remarkGemoji from "remark-gemoji";
import remarkGfm from "remark-gfm";
import { PostError } from "#lib/posts/post-error.ts";
import { WORDS_PER_MINUTE, type CompiledPost, type CompileInput } from "./compiled-post.ts";
import { createCompileContext, type CompileContext } from "./compile-context.ts";
import { stopBundler } from "./code/bundle.ts";
import { assertAllowedHtml } from "./plugins/assert-allowed-html.ts";
import { trimAutolinks } from "./plugins/autolinks.ts";
import { removeAttributeLists } from "./plugins/attribute-lists.ts";
import { assertWellFormed } from "./plugins/assert-well-formed.ts";
import { convertAlerts } from "./plugins/github-alerts.ts";
import { convertCallouts } from "./plugins/callouts.ts";
import { convertContainers } from "./plugins/containers.ts";
import { preserveCodeInfo, renderCodeBlocks } from "./plugins/code-blocks.ts";
import { insertTableOfContents } from "./plugins/table-of-contents.ts";
import { extractCode } from "./plugins/extract-code.ts";
import { embedBareUrls, embedIframes } from "./plugins/embeds.ts";
import { collapseStaticHtml } from "./plugins/collapse-static-html.ts";
import { findFirstParagraph } from "./plugins/first-paragraph.ts";
import { linkHeadings } from "./plugins/headings.ts";
import { convertImages } from "./plugins/images.ts";
import { bundlePostCode, type BundledCode } from "./plugins/islands.ts";
import { convertJsx } from "./plugins/jsx-elements.ts";
import { normalizeLinks } from "./plugins/links.ts";
import { usesMath, renderMath } from "./plugins/math.ts";
import { countWords, toPlainText } from "./plugins/plain-text.ts";
import { restrictLoads } from "./plugins/restrict-loads.ts";
import { restrictStyles } from "./plugins/restrict-styles.ts";
import { wrapTables } from "./plugins/tables.ts";
import { reportTemplateTags } from "./plugins/template-tags.ts";
import { readOwnerComponentNames } from "./code/owner-components.ts";
import { containerSyntax } from "./container-syntax.ts";
import { htmlSyntax } from "./html-syntax.ts";
import { MdxSyntaxError, compileToFunctionBody, type Plugin } from "./serialize.ts";
import type { Root } from "./mdx-tree.ts";

/** Returns the compiled post. Throws PostError for a broken post. */
export async function compileInThread(input: CompileInput): Promise<CompiledPost> {
  const { ownerComponents } = input;
  const context = createCompileContext(
    input,
    ownerComponents ? await readOwnerComponentNames(ownerComponents) : [],
  );
  const stopwatch = createStopwatch();
  const format = /\.md$/i.test(input.file) ? "md" : "mdx";
  try {
    const plugins: Plugin[] = [remarkGfm, remarkGemoji, containerSyntax];
    if (format === "mdx") plugins.push(htmlSyntax);
    if (usesMath(input.body)) plugins.push((await import("./plugins/math-syntax.ts")).mathSyntax);
    plugins.push(...(await loadPlugins(input.extraPlugins ?? [])));
    let bundled: BundledCode = { prelude: "", code: null };
    const compiledSource = await compileToFunctionBody(input.body, {
      format,
      plugins,
      markdown: async (tree) => {
        stopwatch.lap("parse");
        await runMarkdownSteps(tree, context, format);
        stopwatch.lap("remark");
      },
      html: async (tree) => {
        await runHtmlSteps(tree, context, format, stopwatch.lap);
        bundled = await bundlePostCode(tree, context);
        if (context.code.statements.length > 0) stopwatch.lap("bundle");
      },
    });
    stopwatch.lap("serialize");
    const words = countWords(context.text);
    return {
      compiledSource: bundled.prelude + compiledSource,
      code: bundled.code,
      headings: context.headings,
      text: context.text,
      firstParagraph: context.firstParagraph,
      words,
      readingMinutes: Math.max(1, Math.ceil(words / WORDS_PER_MINUTE)),
      components: [...context.components].sort(),
      embeds: [...context.embeds],
      links: context.links,
      ids: [...context.ids],
      warnings: context.warnings,
      stages: stopwatch.stages,
    };
  } catch (error) {
    throw toPostError(error, input);
  } finally {
    if (context.code.statements.length > 0) await stopBundler();
  }
}

async function runMarkdownSteps(
  tree: MarkdownRoot,
  context: CompileContext,
  format: "md" | "mdx",
): Promise<void> {
  await extractCode(tree as never, context);
  // In MDX, they are invalid expressions.
  if (format === "md") removeAttributeLists(tree);
  trimAutolinks(tree);
  convertAlerts(tree);
  convertContainers(tree, context);
  embedBareUrls(tree, context);
  preserveCodeInfo(tree);
  await renderMath(tree, context);
}

async function runHtmlSteps(
  tree: Root,
  context: CompileContext,
  format: "md" | "mdx",
  lap: (name: string) => void,
): Promise<void> {
  if (format === "md") {
    parseRawHtml(tree, context.input.body);
    reportTemplateTags(tree, context);
  }
  convertJsx(tree, context);
  restrictStyles(tree, context);
  restrictLoads(tree, context);
  embedIframes(tree, context);
  assertWellFormed(tree, context);
  assertAllowedHtml(tree, context);
  convertCallouts(tree, context);
  linkHeadings(tree, context);
  insertTableOfContents(tree, context);
  // An image that is not served becomes its text, which is no description.
  context.firstParagraph = findFirstParagraph(tree);
  convertImages(tree, context);
  normalizeLinks(tree, context);
  wrapTables(tree);
  context.text = toPlainText(tree);
  lap("rehype");
  await renderCodeBlocks(tree, context);
  lap("highlight");
  collapseStaticHtml(tree, context);
  lap("collapse");
}

/** Parses HTML in Markdown, where it is text. In MDX it is already elements. */
function parseRawHtml(tree: Root, body: string): void {
  const parsed = raw(tree as never, {
    file: body as never, // for positions; it is only converted to a string
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
  let lapStartedMs = performance.now();
  return {
    stages,
    lap(name: string) {
      const now = performance.now();
      stages.push({ name, ms: Math.round((now - lapStartedMs) * 100) / 100 });
      lapStartedMs = now;
    },
  };
}

/** Hints for MDX's errors; the first match counts. A message with a note already has a hint. */
const SYNTAX_HINTS: readonly (readonly [reason: RegExp, hint: string])[] = [
  [/\(note: /, ""],
  [/parse expression|end of file in expression/, "; write \\{ for a brace in text"],
  [/ before attribute value/, "; put quotes around the value"],
  [/ before name| in name/, "; write \\< for < in text"],
  [/in code: only import/, "; leave a blank line after imports and exports"],
];

function toPostError(error: unknown, input: CompileInput): unknown {
  if (error instanceof PostError) return error;
  const toFileLine = (line: number) => line + input.bodyLine - 1;
  if (error instanceof MdxSyntaxError) {
    // The parser's message also contains lines, counted from the start of the body.
    const reason = error.message.replace(
      /\b(\d+):(\d+)(?:-(\d+):(\d+))?(?=[),])/g,
      (_, line, column, line2, column2) =>
        line2
          ? `${toFileLine(Number(line))}:${column}-${toFileLine(Number(line2))}:${column2}`
          : `${toFileLine(Number(line))}:${column}`,
    );
    // The parser reports a missing end after the last line.
    const lastLine = input.body.trimEnd().split("\n").length;
    return new PostError({
      file: input.file,
      line: toFileLine(Math.min(error.line, lastLine)),
      column: error.column,
      reason: reason + (SYNTAX_HINTS.find(([pattern]) => pattern.test(reason))?.[1] ?? ""),
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
