// Defines what search indexes: posts, pages and episodes, as documents.

import { createHash } from "node:crypto";
import type { EpisodeHead } from "#lib/calls/searchable-episodes.ts";
import { isListed, listPostsInAllLanguages, type Post, type PostIndex } from "#lib/posts/post.ts";
import { normalizeText } from "./search-query.ts";
import { foldWord } from "./search-terms.ts";

export type DocumentKind = "post" | "page" | "episode";

export interface SearchDocument {
  /** `kind/slug`. */
  readonly key: string;
  readonly kind: DocumentKind;
  readonly slug: string;
  readonly title: string;
  /** Computed when it is first needed. */
  readonly foldedTitle: string;
  /** Topics and keywords. */
  readonly topics: string;
  readonly description: string;
  /** Changes with any of its text. */
  readonly fingerprint: string;
}

/** All documents of one kind that a visitor may see now. */
export interface SearchSource {
  readonly kind: DocumentKind;
  /** Changes with each document. */
  readonly fingerprint: string;
  readonly documents: ReadonlyMap<string, SearchDocument>;
  /** Returns the long text of a document; "" if it is gone. */
  readonly loadBody: (document: SearchDocument) => string | Promise<string>;
}

/** Returns a string for comparisons: without marks, upper case and spaces around it. */
export const foldText = (text: string): string => foldWord(normalizeText(text));

function createDocument(
  fields: Pick<SearchDocument, "kind" | "slug" | "title" | "description" | "fingerprint"> & {
    readonly topics: readonly string[];
  },
): SearchDocument {
  let foldedTitle: string | undefined;
  return {
    ...fields,
    key: `${fields.kind}/${fields.slug}`,
    topics: fields.topics.join(", "),
    get foldedTitle() {
      return (foldedTitle ??= foldText(fields.title));
    },
  };
}

function createSource(
  kind: DocumentKind,
  documents: readonly SearchDocument[],
  loadBody: SearchSource["loadBody"],
): SearchSource {
  return {
    kind,
    fingerprint: createHash("sha256")
      .update(documents.map(({ key, fingerprint }) => `${key}=${fingerprint}`).join("\n"))
      .digest("hex"),
    documents: new Map(documents.map((document) => [document.key, document])),
    loadBody,
  };
}

/** A post's text changes when it is compiled. */
const toDocument = (kind: "post" | "page", post: Post): SearchDocument =>
  createDocument({
    kind,
    slug: post.slug,
    title: post.frontMatter.title,
    description: post.frontMatter.description,
    topics: [...post.frontMatter.categories, ...post.frontMatter.keywords],
    fingerprint: [post.hash, post.compiled.text.length, post.compiled.compiledSource.length].join(
      ":",
    ),
  });

function createTextSource(kind: "post" | "page", posts: readonly Post[]): SearchSource {
  const bySlug = new Map(posts.map((post) => [post.slug, post]));
  return createSource(
    kind,
    posts.map((post) => toDocument(kind, post)),
    ({ slug }) => bySlug.get(slug)?.compiled.text ?? "",
  );
}

const postSources = new WeakMap<PostIndex, SearchSource>();

/** Returns the listed posts and their translations. */
export function postSource(index: PostIndex): SearchSource {
  let source = postSources.get(index);
  if (!source) {
    source = createTextSource("post", listPostsInAllLanguages(index));
    postSources.set(index, source);
  }
  return source;
}

/** Returns the listed pages of content/pages. */
export function pageSource(pages: readonly Post[]): SearchSource {
  return createTextSource("page", pages.filter(isListed));
}

/** Returns the published episodes. */
export function episodeSource(
  episodes: readonly EpisodeHead[],
  loadTranscript: (slug: string) => Promise<string>,
): SearchSource {
  return createSource(
    "episode",
    episodes.map(({ slug, title, description, keywords, updatedAtMs }) =>
      createDocument({
        kind: "episode",
        slug,
        title,
        description,
        topics: [keywords],
        fingerprint: String(updatedAtMs),
      }),
    ),
    ({ slug }) => loadTranscript(slug),
  );
}
