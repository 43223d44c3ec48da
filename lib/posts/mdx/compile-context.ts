// Defines what the steps of a compile share: the input, collected results, and problem reporting.

import { PostError } from "#lib/posts/post-error.ts";
import {
  PAGE_COMPONENTS,
  type CompileInput,
  type Heading,
  type LocalImport,
} from "./compiled-post.ts";
import type { Positioned } from "./mdx-tree.ts";

export interface CompileContext {
  readonly input: CompileInput;
  readonly knownComponents: ReadonlySet<string>;
  readonly headings: Heading[];
  readonly components: Set<string>;
  readonly localImports: LocalImport[];
  /** Imports from other frameworks that become plain elements: "Img" → "Image". */
  readonly aliases: Map<string, "Image" | "Link">;
  readonly embeds: Set<string>;
  readonly links: { url: string; line: number }[];
  readonly ids: Set<string>;
  readonly warnings: string[];
  text: string;
  /** Throws a PostError at the line of `node`. */
  fail(node: Positioned | undefined, reason: string): never;
  /** Records a degraded construct, once per line and reason. */
  warn(node: Positioned | undefined, reason: string): void;
}

/** Returns an empty context for `input`. */
export function createCompileContext(input: CompileInput): CompileContext {
  const lineOf = (node?: Positioned) => (node?.position?.start.line ?? 1) + input.bodyLine - 1;
  const warnings: string[] = [];
  return {
    input,
    knownComponents: new Set(input.components ?? PAGE_COMPONENTS),
    headings: [],
    components: new Set(),
    localImports: [],
    aliases: new Map(),
    embeds: new Set(),
    links: [],
    ids: new Set(),
    warnings,
    text: "",
    fail(node, reason) {
      throw new PostError({
        file: input.file,
        line: lineOf(node),
        column: node?.position?.start.column,
        reason,
      });
    },
    warn(node, reason) {
      const warning = `${input.file}:${lineOf(node)}: ${reason}`;
      if (!warnings.includes(warning)) warnings.push(warning);
    },
  };
}
