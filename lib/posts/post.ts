// A post as the site holds it in memory, the index of all posts of one content version, and which of them are shown.

export interface PostTranslation {
  readonly language: string;
  readonly link: string;
  readonly author?: { readonly name: string; readonly link?: string };
}

/** What the front matter says, checked. The same shape as the content room's. */
export interface PostFrontMatter {
  readonly title: string;
  /** A day without a time: YYYY-MM-DD. */
  readonly date: string;
  readonly description: string;
  readonly categories: readonly string[];
  readonly keywords: readonly string[];
  readonly banner?: string;
  readonly bannerCredit?: string;
  readonly bannerAlt?: string;
  readonly bannerTitle?: string;
  readonly translations: readonly PostTranslation[];
  readonly draft: boolean;
  readonly archived: boolean;
  readonly unlisted: boolean;
}

/** What compiling gave. The same shape as the mdx room's. */
export interface PostBody {
  readonly compiledSource: string;
  readonly headings: readonly {
    readonly depth: 2 | 3 | 4;
    readonly id: string;
    readonly text: string;
  }[];
  /** Plain text, for search. */
  readonly text: string;
  readonly words: number;
  /** At 200 words a minute, rounded up, at least 1. */
  readonly readingMinutes: number;
  readonly components: readonly string[];
  readonly localImports: readonly { readonly name: string; readonly file: string }[];
  /** Paragraphs that are only a URL. */
  readonly embeds: readonly string[];
}

/** The picture above a post, made at build: the original, its sizes and a placeholder. */
export interface HeroImage {
  readonly src: string;
  readonly width: number;
  readonly height: number;
  readonly srcSet?: string;
  /** A data: URL of a few hundred bytes. */
  readonly blur?: string;
}

export interface Post<Body extends PostBody = PostBody, Hero extends object = HeroImage> {
  readonly slug: string;
  readonly path: string;
  readonly hash: string;
  /** The content version that this post was read from: not the index's when a newer one was broken. */
  readonly version: string;
  readonly frontMatter: PostFrontMatter;
  readonly compiled: Body;
  readonly hero?: Hero;
}

/** A post without its body: small enough to send to the browser. */
export type PostSummary<P extends Post = Post> = Omit<P, "compiled"> & {
  readonly readingMinutes: number;
};

/** Every post of one content version, newest first, ties by slug. Drafts and unlisted posts included: they are reachable. */
export interface PostIndex<P extends Post = Post> {
  readonly version: string;
  readonly posts: readonly P[];
  readonly bySlug: ReadonlyMap<string, P>;
}

/** An index over `posts` in any order. Of two posts with one slug the later in the list wins. */
export function createPostIndex<P extends Post>(version: string, posts: Iterable<P>): PostIndex<P> {
  const bySlug = new Map<string, P>();
  for (const post of posts) bySlug.set(post.slug, post);
  const sorted = [...bySlug.values()].sort(
    (a, b) => compareBytes(b.frontMatter.date, a.frontMatter.date) || compareBytes(a.slug, b.slug),
  );
  return { version, posts: sorted, bySlug };
}

/** Byte order, the same on every machine: a locale would sort differently from one to the next. */
function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a post stands in lists, search, feeds and the sitemap. Drafts and unlisted posts don't; archived ones do. */
export function isListed({ frontMatter }: Post): boolean {
  return !frontMatter.draft && !frontMatter.unlisted;
}

/** Whether the site may put a post forward by itself: listed, and not archived. */
export function isPromotable(post: Post): boolean {
  return isListed(post) && !post.frontMatter.archived;
}

const listedPostsCache = new WeakMap<PostIndex, readonly Post[]>();

/** The listed posts, newest first. */
export function listPosts<P extends Post>(index: PostIndex<P>): readonly P[] {
  let posts = listedPostsCache.get(index);
  if (!posts) {
    posts = index.posts.filter(isListed);
    listedPostsCache.set(index, posts);
  }
  return posts as readonly P[];
}

/** The post at `slug`, listed or not, or null. */
export function findPost<P extends Post>(index: PostIndex<P>, slug: string): P | null {
  return index.bySlug.get(slug) ?? null;
}

/** The post without its body. */
export function toPostSummary<P extends Post>({ compiled, ...rest }: P): PostSummary<P> {
  return { ...rest, readingMinutes: compiled.readingMinutes };
}
