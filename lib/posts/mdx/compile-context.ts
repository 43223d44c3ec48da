// What the steps of one compile share: the input, what they have found so far, and how they complain.

import { PostError } from "#lib/posts/post-error.ts";
import type { CompileInput, Heading, LocalImport } from "./compiled-post.ts";
import { PAGE_COMPONENTS } from "./compiled-post.ts";
import type { Positioned } from "./mdx-tree.ts";

export interface CompileContext {
  readonly input: CompileInput;
  readonly knownComponents: ReadonlySet<string>;
  readonly headings: Heading[];
  readonly components: Set<string>;
  readonly localImports: LocalImport[];
  /** Names bound to a thing of another site's framework that we show in our own way: "Img" → "Image". */
  readonly aliases: Map<string, "Image" | "Link">;
  readonly embeds: Set<string>;
  readonly warnings: string[];
  text: string;
  /** Throws a PostError at the line of `at`. */
  fail(at: Positioned | undefined, reason: string): never;
  /** Notes that something is shown in a lesser way. */
  warn(at: Positioned | undefined, reason: string): void;
}

/** An empty draft of `input`. */
export function createCompileContext(input: CompileInput): CompileContext {
  const lineOf = (at?: Positioned) => (at?.position?.start.line ?? 1) + input.bodyLine - 1;
  const warnings = new Set<string>();
  const list: string[] = [];
  return {
    input,
    knownComponents: new Set(input.components ?? PAGE_COMPONENTS),
    headings: [],
    components: new Set(),
    localImports: [],
    aliases: new Map(),
    embeds: new Set(),
    warnings: list,
    text: "",
    fail(at, reason) {
      throw new PostError({
        file: input.file,
        line: lineOf(at),
        column: at?.position?.start.column,
        reason,
      });
    },
    warn(at, reason) {
      const warning = `${input.file}:${lineOf(at)}: ${reason}`;
      if (warnings.has(warning)) return;
      warnings.add(warning);
      list.push(warning);
    },
  };
}
