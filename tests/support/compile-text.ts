// Compiles a few lines of Markdown to the HTML that a reader's browser would get.

import { compileInThread } from "#lib/posts/mdx/compile-pipeline.ts";
import type { CompiledPost, CompileInput } from "#lib/posts/mdx/compiled-post.ts";

/** Compiles `body` on this thread, as a post that starts on line 1 of blog/test.mdx. */
export function compileText(
  body: string,
  input: Partial<CompileInput> = {},
): Promise<CompiledPost> {
  return compileInThread({ file: "blog/test.mdx", bodyLine: 1, imageHosts: [], ...input, body });
}

type Props = Record<string, unknown> & { children?: unknown };

/**
 * Returns the HTML of a compiled post. A component renders as `<Name prop="json">children</Name>`.
 */
export function htmlOf(post: CompiledPost): string {
  const jsx = (type: unknown, { children, ...props }: Props): string => {
    const inner = [children]
      .flat(Infinity)
      .filter((child) => child !== undefined && child !== null && child !== false)
      .join("");
    if (typeof type === "function")
      return (type as (props: Props) => string)({ ...props, children });
    if (type === "StaticHtml") return String(props.html);
    if (typeof type !== "string") return inner;
    const attributes = Object.entries(props).map(
      ([name, value]) => ` ${name}=${JSON.stringify(value)}`,
    );
    return `<${type}${attributes.join("")}>${inner}</${type}>`;
  };
  const names: Record<string, unknown> = {};
  for (const name of ["StaticHtml", "PostIsland", "TabList", ...post.components]) {
    const [root, member] = name.split(".");
    if (member === undefined) names[root!] = name;
    else names[root!] = { ...(names[root!] as object | undefined), [member]: name };
  }
  // Outside the worker, the library generates code for the development runtime.
  const run = new Function(post.compiledSource) as (runtime: object) => {
    default: (props: object) => string;
  };
  const runtime = { Fragment: undefined, jsx, jsxs: jsx, jsxDEV: jsx };
  return run({ ...runtime, require: () => runtime }).default({ components: names });
}

/** Compiles `body` and returns its HTML. */
export async function htmlFrom(body: string, input: Partial<CompileInput> = {}): Promise<string> {
  return htmlOf(await compileText(body, input));
}

/** Returns "line: reason" of the PostError that compiling throws. Throws if it compiles. */
export async function problemOf(body: string, input: Partial<CompileInput> = {}): Promise<string> {
  try {
    await compileText(body, input);
  } catch (error) {
    const { problem } = error as { problem?: { line: number; reason: string } };
    if (problem) return `${problem.line}: ${problem.reason}`;
    throw error;
  }
  throw new Error("It compiled.");
}
