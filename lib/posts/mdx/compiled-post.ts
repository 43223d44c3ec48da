// What goes into compiling a post and what comes out: plain data that can be stored and sent to a worker.

/** One image of the post, as the build made it. */
export interface PostImage {
  /** URL of the fallback file. */
  readonly src: string;
  /** Natural size in CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** A tiny data: URL shown until the image is there. */
  readonly blur?: string;
  /** Other formats, best first; `srcset` with width descriptors. */
  readonly sources?: readonly { readonly type: string; readonly srcset: string }[];
}

/** Image source as written in the post ("./hero.png", "/images/x.png") → what to show for it. */
export type PostImages = Readonly<Record<string, PostImage>>;

export interface CompileInput {
  /** Path below the content root, used in errors. ".md" is Markdown with HTML, everything else is MDX. */
  readonly file: string;
  readonly body: string;
  /** 1-based line of the file on which `body` starts. */
  readonly bodyLine: number;
  readonly images?: PostImages;
  /** Hosts that remote images may come from: "images.example.com", "*.example.com", "*". */
  readonly imageHosts: readonly string[];
  /** Names of page components a post may use. Default: PAGE_COMPONENTS. */
  readonly components?: readonly string[];
  /** Importable files of this post that are part of the build, relative to the post ("./counter.tsx"). Default: none. */
  readonly localComponents?: readonly string[];
  /** What an image of this site that isn't in `images` is: a warning (default) or a failure. */
  readonly missingImages?: "warn" | "fail";
  /**
   * Extension point: module files (absolute path or file: URL) whose default export is a remark plugin. The worker
   * loads them and runs them before our own steps, under the same deadline and memory limit.
   */
  readonly extraPlugins?: readonly string[];
}

export interface Heading {
  readonly depth: 2 | 3 | 4;
  readonly id: string;
  readonly text: string;
}

export interface LocalImport {
  /** The name it has in the post. */
  readonly name: string;
  /** The entry of `localComponents` it comes from. */
  readonly file: string;
  /** Which export it is; "*" is the whole module. */
  readonly imported: string;
}

export interface CompiledPost {
  /** Function body for React's jsx runtime; components/post/mdx-content.tsx runs it. */
  readonly compiledSource: string;
  /** Headings of depth 2 to 4 in order. */
  readonly headings: readonly Heading[];
  /** Plain text, one block per line. */
  readonly text: string;
  readonly words: number;
  /** Whole minutes at 200 words a minute, rounded up, at least 1 (reference.md, "Blog"). */
  readonly readingMinutes: number;
  /** Components used: "Embed", "C.Counter". */
  readonly components: readonly string[];
  readonly localImports: readonly LocalImport[];
  /** URLs that became <Embed>, each once. */
  readonly embeds: readonly string[];
  /** "file:line: what" – things that were shown in a lesser way. */
  readonly warnings: readonly string[];
  /** Time of each stage in ms, in order. */
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
}

/** Page components every post may use by name. */
export const PAGE_COMPONENTS: readonly string[] = ["Embed"];

/** A body above this many bytes is refused before any parser sees it. The longest real post has 11,400 words, about 0.1 MB. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

export const WORDS_PER_MINUTE = 200;
