// Posts for the tests of this room: each call makes a new one, every field can be set.

import {
  createPostIndex,
  type Post,
  type PostBody,
  type PostFrontMatter,
  type PostIndex,
} from "#lib/posts/post.ts";

let createdCount = 0;

export type SamplePost = Partial<PostFrontMatter> & { slug?: string; hash?: string } & Partial<
    Pick<PostBody, "text" | "readingMinutes">
  >;

export function samplePost(given: SamplePost = {}): Post {
  createdCount += 1;
  const {
    slug = `post-${createdCount}`,
    hash = `hash-${createdCount}`,
    text = "Some words about nothing.",
    readingMinutes = 5,
    ...frontMatter
  } = given;
  return {
    slug,
    path: `blog/${slug}.mdx`,
    hash,
    version: "v1",
    frontMatter: {
      title: `Title of ${slug}`,
      date: "2026-11-01",
      description: "A description.",
      categories: [],
      keywords: [],
      translations: [],
      draft: false,
      archived: false,
      unlisted: false,
      ...frontMatter,
    },
    compiled: {
      compiledSource: "",
      headings: [],
      text,
      words: text.split(" ").length,
      readingMinutes,
      components: [],
      localImports: [],
      embeds: [],
    },
  };
}

export function sampleIndex(...samples: (SamplePost | Post)[]): PostIndex {
  return createPostIndex(
    "v1",
    samples.map((sample) => ("compiled" in sample ? sample : samplePost(sample))),
  );
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
