// Wraps next-mdx-remote, which is archived upstream: only this file imports it
// (docs/decisions/010).

import { serialize } from "next-mdx-remote/serialize";

type MdxOptions = NonNullable<NonNullable<Parameters<typeof serialize>[1]>["mdxOptions"]>;
/** A unified plugin, or a pair of plugin and options. */
export type Plugin = NonNullable<MdxOptions["remarkPlugins"]>[number];
/** Transforms a whole tree in place. */
export type TreeStep = (tree: never) => void | Promise<void>;

export interface CompileSteps {
  readonly format: "mdx" | "md";
  /** Syntax extensions and third-party plugins; they run before `markdown`. */
  readonly plugins: readonly Plugin[];
  /** Transforms the Markdown tree (mdast). */
  readonly markdown: TreeStep;
  /** Transforms the HTML tree (hast). */
  readonly html: TreeStep;
}

/** A syntax error; `line` is 1-based in the source. */
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
 * Returns a function body that takes React's jsx runtime as `arguments[0]` and returns `{default}`.
 * NODE_ENV must be "production", or else the code requires the development runtime. Throws
 * MdxSyntaxError, and any error that a step throws.
 */
export async function compileToFunctionBody(source: string, steps: CompileSteps): Promise<string> {
  // Keeps the original error, because the library turns every error into text with a code frame.
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
        // Off, because they would silently strip what the plugins write. Instead, forbidden content
        // is an error with its line: plugins/jsx-elements.ts, plugins/assert-allowed-html.ts.
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
      true, // no context provider: components are props
    );
    return result.compiledSource;
  } catch (error) {
    throw toMdxSyntaxError(caught ?? error);
  }
}

/** Returns a parser error as MdxSyntaxError, and any other error unchanged. */
function toMdxSyntaxError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name === "AppError") return error;
  // An error from a third-party plugin, whose message the library has wrapped.
  if (error.message.startsWith("[next-mdx-remote]"))
    return new Error(error.message.split("\n")[1], { cause: error });
  const { line, column, place } = error as {
    line?: number;
    column?: number;
    place?: { start?: { line: number }; line?: number };
  };
  if (!("reason" in error)) return error;
  const reason = String(error.reason);
  // At the end of the file there is no position, but the message contains the position of the open
  // tag.
  const position = /\((\d+):(\d+)/.exec(reason);
  return new MdxSyntaxError(
    reason,
    line ?? place?.start?.line ?? place?.line ?? Number(position?.[1] ?? 1),
    column ?? (position ? Number(position[2]) : undefined),
  );
}
