// Compiles one post in this thread: which steps run, in which order, and how long each took. The worker calls it.

import { pathToFileURL } from "node:url";
import { isAbsolute } from "node:path";
import { raw } from "hast-util-raw";
import type { Root as MarkdownRoot } from "mdast";
import remarkGfm from "remark-gfm";
import { PostError } from "../base/post-error.ts";
import { WORDS_PER_MINUTE, type CompiledPost, type CompileInput } from "./compiled-post.ts";
import { newDraft, type Draft } from "./draft.ts";
import { checkHtml } from "./plugins/allowed-html.ts";
import { markAlerts } from "./plugins/alerts.ts";
import { writeCallouts } from "./plugins/callouts.ts";
import { keepCodeInfo, writeCode } from "./plugins/code.ts";
import { writeContents } from "./plugins/contents.ts";
import { embedBareUrls, embedFrames } from "./plugins/embeds.ts";
import { freeze } from "./plugins/freeze.ts";
import { linkHeadings } from "./plugins/headings.ts";
import { writeImages } from "./plugins/images.ts";
import { takeImports } from "./plugins/imports.ts";
import { readJsx } from "./plugins/jsx-elements.ts";
import { writeLinks } from "./plugins/links.ts";
import { usesMath, writeMath } from "./plugins/math.ts";
import { countWords, plainText } from "./plugins/plain-text.ts";
import { frameTables } from "./plugins/tables.ts";
import { prepareMdx } from "./prepare.ts";
import { SyntaxProblem, toFunctionBody, type Plugin } from "./serialize.ts";
import type { Root } from "./tree.ts";

/** The compiled post. Throws a PostError for everything that is wrong with the post itself. */
export async function compileHere(input: CompileInput): Promise<CompiledPost> {
  const draft = newDraft(input);
  const watch = stopwatch();
  const format = input.file.endsWith(".md") ? "md" : "mdx";
  try {
    const plugins: Plugin[] = [remarkGfm];
    if (usesMath(input.body)) plugins.push((await import("remark-math")).default as Plugin);
    plugins.push(...(await loadPlugins(input.extraPlugins ?? [])));
    const compiledSource = await toFunctionBody(
      format === "mdx" ? prepareMdx(input.body) : input.body,
      {
        format,
        plugins,
        markdown: async (tree) => {
          watch.lap("parse");
          await markdownSteps(tree, draft);
          watch.lap("remark");
        },
        html: async (tree) => {
          await htmlSteps(tree, draft, format, watch.lap);
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
    throw asPostError(error, input);
  }
}

async function markdownSteps(tree: MarkdownRoot, draft: Draft): Promise<void> {
  takeImports(tree as never, draft);
  markAlerts(tree);
  embedBareUrls(tree, draft);
  keepCodeInfo(tree);
  await writeMath(tree, draft);
}

async function htmlSteps(
  tree: Root,
  draft: Draft,
  format: "md" | "mdx",
  lap: (name: string) => void,
): Promise<void> {
  if (format === "md") parseRawHtml(tree);
  readJsx(tree, draft);
  embedFrames(tree, draft);
  checkHtml(tree, draft);
  writeCallouts(tree, draft);
  linkHeadings(tree, draft);
  writeContents(tree, draft);
  writeImages(tree, draft);
  writeLinks(tree, draft);
  frameTables(tree);
  draft.text = plainText(tree);
  lap("rehype");
  await writeCode(tree, draft);
  lap("highlight");
  freeze(tree);
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

function stopwatch() {
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

function asPostError(error: unknown, input: CompileInput): unknown {
  if (error instanceof PostError) return error;
  const at = (line: number) => line + input.bodyLine - 1;
  if (error instanceof SyntaxProblem) {
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
