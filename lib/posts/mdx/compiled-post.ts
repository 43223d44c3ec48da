// Defines the input and output of compiling a post: plain data that can be cached and sent to a
// worker.

import type { PostImages } from "#lib/posts/image.ts";
import type { ExternalImageSettings } from "#lib/posts/images/external-image.ts";
import type { PostProblem } from "#lib/posts/post-error.ts";

export interface CompileInput extends ExternalImageSettings {
  /** Path below the content root, for errors. ".md" is Markdown with HTML, anything else is MDX. */
  readonly file: string;
  readonly body: string;
  /** 1-based line of the file on which `body` starts. */
  readonly bodyLine: number;
  readonly images?: PostImages;
  /** Names of the page components a post may use. Default: PAGE_COMPONENTS. */
  readonly components?: readonly string[];
  /** The text of mdx-components.tsx, whose components a post may also use. */
  readonly ownerComponents?: string;
  /** Texts of the files that the post may import, by path below the content root. */
  readonly codeFiles?: Readonly<Record<string, string>>;
  /**
   * "trusted" (default): MDX with code. "strict", for posts by others: without imports, exports and
   * expressions that compute.
   */
  readonly trust?: "trusted" | "strict";
  /**
   * Extension point: module files (absolute path or file: URL) whose default export is a remark
   * plugin. The worker runs them before the built-in steps, under the same deadline and memory
   * limit.
   */
  readonly extraPlugins?: readonly string[];
}

export interface Heading {
  readonly depth: 2 | 3 | 4;
  readonly id: string;
  readonly text: string;
}

/** The browser's part of a post with code. */
export interface PostCode {
  /** 32 hex digits of the SHA-256 of the other fields. */
  readonly hash: string;
  /**
   * An ES module, "" without islands: POST_CODE_PREFIX and a function of `require` that returns
   * `{islands}`.
   */
  readonly browser: string;
  readonly css: string;
}

/** The beginning of `PostCode.browser`. What follows is a function expression. */
export const POST_CODE_PREFIX = "export default ";

export interface CompiledPost {
  /** Function body for React's jsx runtime; components/post/mdx-content.tsx runs it. */
  readonly compiledSource: string;
  /** Headings of depth 2 to 4, in order. */
  readonly headings: readonly Heading[];
  /** Plain text, one block per line. */
  readonly text: string;
  /** The first paragraph of prose as plain text, at most 200 characters, or "". */
  readonly firstParagraph: string;
  readonly words: number;
  /** Whole minutes at WORDS_PER_MINUTE, rounded up, at least 1. */
  readonly readingMinutes: number;
  /** Components used: "Embed", "C.Counter". */
  readonly components: readonly string[];
  /** null if the post has neither islands nor stylesheets. */
  readonly code: PostCode | null;
  /** URLs that became <Embed>, each once. */
  readonly embeds: readonly string[];
  /** Links within the site: "/blog/x#part", "#part". */
  readonly links: readonly { readonly url: string; readonly line: number }[];
  /** The ids that links can name. */
  readonly ids: readonly string[];
  /** "file:line: reason" for constructs that were degraded. */
  readonly warnings: readonly string[];
  /** Duration of each stage in ms, in order. */
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
  /** True if an image could not be measured now: the post is compiled again later. */
  readonly isTemporary?: boolean;
}

/** The worker's response. */
export type CompileResult =
  | { readonly ok: true; readonly post: CompiledPost }
  | { readonly ok: false; readonly problem: PostProblem };

/** Page components every post may use by name. */
export const PAGE_COMPONENTS: readonly string[] = ["Embed", "Feature", "SubscribeForm"];

/**
 * Longer bodies are rejected before parsing. The longest known post has 11,400 words, about 0.1 MB.
 */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

export const WORDS_PER_MINUTE = 200;
