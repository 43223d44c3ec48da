// The only file that knows next-mdx-remote. It is archived upstream; @mdx-js/mdx can take its place here (decision 010).

import { serialize } from "next-mdx-remote/serialize";

type MdxOptions = NonNullable<NonNullable<Parameters<typeof serialize>[1]>["mdxOptions"]>;
/** A unified plugin, or a pair of plugin and options. */
export type Plugin = NonNullable<MdxOptions["remarkPlugins"]>[number];
/** A step over a whole tree, in place. */
export type TreeStep = (tree: never) => void | Promise<void>;

export interface CompileSteps {
  readonly format: "mdx" | "md";
  /** Syntax extensions and other people's plugins; they run before `markdown`. */
  readonly plugins: readonly Plugin[];
  /** On the Markdown tree (mdast). */
  readonly markdown: TreeStep;
  /** On the HTML tree (hast). */
  readonly html: TreeStep;
}

/** Where and why the parser stopped; the line counts from 1 in the source. */
export class MdxSyntaxError extends Error {
  readonly line: number;
  readonly column: number | undefined;

  constructor(reason: string, line: number, column?: number) {
    super(reason);
    this.line = line;
    this.column = column;
  }
}

/**
 * The source compiled to a function body that takes React's jsx runtime as `arguments[0]` and returns `{default}`.
 * Throws what a step threw, unchanged, and a SyntaxProblem for what the parser refuses.
 * NODE_ENV must be "production" (the worker sets it): the library would otherwise write code for the development runtime.
 */
export async function compileToFunctionBody(source: string, steps: CompileSteps): Promise<string> {
  // The library turns every error into a text with a picture of the place; we want the error itself.
  let caught: unknown;
  const guarded = (step: TreeStep) => () => async (tree: never) => {
    try {
      await step(tree);
    } catch (error) {
      caught ??= error;
      throw error;
    }
  };
  function guardParser(this: { parser?: (document: string, file: unknown) => unknown }) {
    const parse = this.parser!;
    this.parser = (document, file) => {
      try {
        return parse(document, file);
      } catch (error) {
        caught ??= error;
        throw error;
      }
    };
  }
  try {
    const result = await serialize(
      source,
      {
        // Posts come from the repository and are reviewed. These two would strip what our own plugins write, silently;
        // what a post may not contain is refused with its line instead (plugins/jsx-elements.ts, allowed-html.ts).
        blockJS: false,
        blockDangerousJS: false,
        parseFrontmatter: false,
        mdxOptions: {
          format: steps.format,
          remarkRehypeOptions: { footnoteLabelProperties: { className: ["visually-hidden"] } },
          remarkPlugins: [
            guardParser as Plugin,
            ...steps.plugins,
            guarded(steps.markdown) as Plugin,
          ],
          rehypePlugins: [guarded(steps.html) as Plugin],
        },
      },
      true, // no context provider: components are passed in where the post is rendered
    );
    return result.compiledSource;
  } catch (error) {
    throw toMdxSyntaxError(caught ?? error);
  }
}

/** A message of the parser as a SyntaxProblem; anything else as it is. */
function toMdxSyntaxError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name === "AppError") return error;
  // From a plugin that isn't ours: the library has put its own lines around the message.
  if (error.message.startsWith("[next-mdx-remote]"))
    return new Error(error.message.split("\n")[1], { cause: error });
  const { line, column, place } = error as {
    line?: number;
    column?: number;
    place?: { start?: { line: number }; line?: number };
  };
  if (!("reason" in error)) return error;
  const reason = String(error.reason);
  // At the end of the file the parser has no place, but its sentence names the tag that is open.
  const named = /\((\d+):(\d+)/.exec(reason);
  return new MdxSyntaxError(
    reason,
    line ?? place?.start?.line ?? place?.line ?? Number(named?.[1] ?? 1),
    column ?? (named ? Number(named[2]) : undefined),
  );
}
