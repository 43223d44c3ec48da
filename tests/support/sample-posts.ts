// Creates posts for tests. Each call creates a new post, and every field can be set.

import type { CompiledPost } from "#lib/posts/mdx/compiled-post.ts";
import { createPostIndex, type Post, type PostIndex } from "#lib/posts/post.ts";
import type { FrontMatter } from "#lib/posts/source/front-matter.ts";

let createdCount = 0;

export type SamplePost = Partial<FrontMatter> & { slug?: string; hash?: string } & Partial<
    Pick<CompiledPost, "text" | "readingMinutes">
  >;

export function samplePost(fields: SamplePost = {}): Post {
  createdCount += 1;
  const {
    slug = `post-${createdCount}`,
    hash = `hash-${createdCount}`,
    text = "Some words about nothing.",
    readingMinutes = 5,
    ...frontMatter
  } = fields;
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
      aliases: [],
      draft: false,
      archived: false,
      unlisted: false,
      ...frontMatter,
    },
    compiled: {
      compiledSource: "",
      headings: [],
      text,
      firstParagraph: "",
      words: text.split(" ").length,
      readingMinutes,
      components: [],
      code: null,
      embeds: [],
      links: [],
      ids: [],
      warnings: [],
      stages: [],
    },
  };
}

export function sampleIndex(...samples: (SamplePost | Post)[]): PostIndex {
  return createPostIndex(
    "v1",
    samples.map((sample) => ("compiled" in sample ? sample : samplePost(sample))),
  );
}
