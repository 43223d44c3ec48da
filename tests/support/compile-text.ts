// For the tests of this room: a few lines of Markdown in, what a reader's browser would get out.

import { compileInThread } from "#lib/posts/mdx/compile-pipeline.ts";
import type { CompiledPost, CompileInput } from "#lib/posts/mdx/compiled-post.ts";

/** `body` compiled in this thread, as a post that begins in line 1 of blog/test.mdx. */
export function compileText(
  body: string,
  input: Partial<CompileInput> = {},
): Promise<CompiledPost> {
  return compileInThread({ file: "blog/test.mdx", bodyLine: 1, imageHosts: [], ...input, body });
}

type Props = Record<string, unknown> & { children?: unknown };

/** The HTML of a compiled post. A component shows itself as `<Name prop="json">children</Name>`. */
export function htmlOf(post: CompiledPost): string {
  const jsx = (type: unknown, { children, ...props }: Props): string => {
    const inner = [children]
      .flat(Infinity)
      .filter((child) => child !== undefined && child !== null && child !== false)
      .join("");
    if (typeof type === "function")
      return (type as (props: Props) => string)({ ...props, children });
    if (type === "Html") return String(props.html);
    if (typeof type !== "string") return inner;
    const attributes = Object.entries(props).map(
      ([name, value]) => ` ${name}=${JSON.stringify(value)}`,
    );
    return `<${type}${attributes.join("")}>${inner}</${type}>`;
  };
  const names: Record<string, unknown> = {};
  for (const name of ["Html", ...post.components]) {
    const [root, member] = name.split(".");
    if (member === undefined) names[root!] = name;
    else names[root!] = { ...(names[root!] as object | undefined), [member]: name };
  }
  // Outside the worker the library writes code for the development runtime.
  const run = new Function(post.compiledSource) as (runtime: object) => {
    default: (props: object) => string;
  };
  return run({ Fragment: undefined, jsx, jsxs: jsx, jsxDEV: jsx }).default({ components: names });
}

/** Both at once. */
export async function htmlFrom(body: string, input: Partial<CompileInput> = {}): Promise<string> {
  return htmlOf(await compileText(body, input));
}

/** The "line: reason" of the PostError that compiling throws; fails when it throws none. */
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
