// Defines what the steps of a compile share: the input, collected results, and problem reporting.

import type { Program } from "estree";
import { PostError } from "#lib/posts/post-error.ts";
import { PAGE_COMPONENTS, type CompileInput, type Heading } from "./compiled-post.ts";
import type { Positioned } from "./mdx-tree.ts";
import type { StaticValue } from "./static-value.ts";

/** An import or a declaration of a post, which binds names. */
export interface CodeStatement {
  readonly node: Program["body"][number];
  readonly position: Positioned | undefined;
  readonly names: readonly string[];
  /** Names that a declaration refers to. */
  readonly references: ReadonlySet<string>;
}

/** The imports and exports of a post. */
export interface PostStatements {
  readonly statements: CodeStatement[];
  /** Every name that they bind. */
  readonly names: Set<string>;
  /** The names that need a browser. */
  readonly interactive: Set<string>;
}

export interface CompileContext {
  readonly input: CompileInput;
  readonly knownComponents: ReadonlySet<string>;
  readonly headings: Heading[];
  readonly components: Set<string>;
  readonly code: PostStatements;
  /** Values of `export const name = "text"`. */
  readonly constants: Map<string, StaticValue>;
  /** Imports from other frameworks that become plain elements: "Img" → "img". */
  readonly aliases: Map<string, string>;
  readonly embeds: Set<string>;
  readonly links: { url: string; line: number }[];
  readonly ids: Set<string>;
  readonly warnings: string[];
  text: string;
  firstParagraph: string;
  /** Number of diagrams drawn so far, which makes their ids unique. */
  diagramCount: number;
  /** Returns how compiled code reaches a component of the compiler, whatever the post declares. */
  internalName(name: "StaticHtml" | "PostIsland" | "Embed" | "TabList"): string;
  /** Throws a PostError at the line of `node`. */
  fail(node: Positioned | undefined, reason: string): never;
  /** Records a degraded construct, once per line and reason. */
  warn(node: Positioned | undefined, reason: string): void;
}

/** Returns an empty context for `input`. */
export function createCompileContext(
  input: CompileInput,
  ownerComponents: readonly string[] = [],
): CompileContext {
  const lineOf = (node?: Positioned) => (node?.position?.start.line ?? 1) + input.bodyLine - 1;
  const warnings: string[] = [];
  const code: PostStatements = { statements: [], names: new Set(), interactive: new Set() };
  return {
    input,
    knownComponents: new Set([...(input.components ?? PAGE_COMPONENTS), ...ownerComponents]),
    headings: [],
    components: new Set(),
    code,
    constants: new Map(),
    aliases: new Map(),
    embeds: new Set(),
    links: [],
    ids: new Set(),
    warnings,
    text: "",
    firstParagraph: "",
    diagramCount: 0,
    internalName: (name) => (code.names.has(name) ? `props.components.${name}` : name),
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
