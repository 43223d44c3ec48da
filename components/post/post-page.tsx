// Renders the page of a post, both for the static variant and for a viewer.

import type { ReactNode } from "react";
import { LinkIcon, MailIcon, PencilIcon } from "#components/ui/icons.tsx";
import { SiteMark } from "#components/ui/logo.tsx";
import { formatDate, formatReadingTime } from "#lib/core/format.ts";
import type { Post } from "#lib/posts/post.ts";
import { laterUpdateDay } from "#lib/posts/post-dates.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import type { Series } from "#lib/posts/series.ts";
import { type Author, AuthorCard } from "./author-card.tsx";
import { HeroImage } from "./hero-image.tsx";
import { PROSE_CLASS } from "./prose-class.ts";
import { SeriesBox, SeriesNeighbors } from "./series-box.tsx";
import { TocAside, TocDisclosure } from "./table-of-contents.tsx";

export interface PostPageProps {
  readonly post: Post;
  /** Null if the post is not part of one. */
  readonly series: Series | null;
  /** Also sets the page's accent color: that of the leading team. */
  readonly standings: ReactNode;
  readonly recommendations: ReactNode;
  readonly url: string;
  /** URL to edit the post's file, or null. */
  readonly editUrl: string | null;
  /** URL of the discussion of the post, or null. */
  readonly discussUrl: string | null;
  readonly author: Author;
  readonly license?: { readonly name: string; readonly url: string } | undefined;
  /** The rendered text. */
  readonly children: ReactNode;
  /** Rendered after the page: read counter, structured data. */
  readonly extras?: ReactNode;
}

/** The page below the site header. */
export function PostPage({
  post,
  series,
  standings,
  recommendations,
  url,
  editUrl,
  discussUrl,
  author,
  license,
  children,
  extras,
}: PostPageProps) {
  const { frontMatter, compiled, hero } = post;
  const updated = laterUpdateDay(post);
  const language = languageAttributes(frontMatter);
  return (
    <div className="leader-accent">
      <article aria-labelledby="post-title">
        <header className="post-head wrap">
          <div>
            <PostStateNotice draft={frontMatter.draft} archived={frontMatter.archived} />
            <h1 id="post-title" {...language}>
              {frontMatter.title}
            </h1>
            <p className="post-when figures">
              <time dateTime={frontMatter.date}>{formatDate(frontMatter.date)}</time> —{" "}
              {updated && (
                <>
                  Updated <time dateTime={updated}>{formatDate(updated)}</time> —{" "}
                </>
              )}
              {formatReadingTime(compiled.readingMinutes)}
            </p>
            <Translations post={post} editUrl={editUrl} />
          </div>
          {hero && (
            <figure className="hero">
              <HeroImage
                image={hero}
                alt={frontMatter.bannerAlt ?? ""}
                sizes="(min-width: 84rem) 38rem, (min-width: 60em) 46vw, 92vw"
                first
              />
              {frontMatter.bannerCredit && (
                <figcaption {...language}>{frontMatter.bannerCredit}</figcaption>
              )}
            </figure>
          )}
        </header>
        <div className="post-body wrap">
          <TocAside headings={compiled.headings} language={language} />
          <div className="post-column">
            <TocDisclosure headings={compiled.headings} language={language} />
            {series && <SeriesBox series={series} slug={post.slug} />}
            <div className={PROSE_CLASS} {...language}>
              {children}
            </div>
            <div className="post-end" data-article-end="">
              <SiteMark />
            </div>
            <div className="post-after">
              {series && <SeriesNeighbors series={series} />}
              {standings}
              <section aria-labelledby="share-title">
                <h2 id="share-title" className="visually-hidden">
                  Share and edit
                </h2>
                <p className="post-share">
                  <button type="button" className="button needs-script" data-copy={url}>
                    <LinkIcon /> Copy link
                  </button>
                  <a
                    className="button"
                    href={`mailto:?subject=${encodeURIComponent(frontMatter.title)}&body=${encodeURIComponent(url)}`}
                  >
                    <MailIcon /> Email
                  </a>
                  {discussUrl && (
                    <a className="button" href={discussUrl}>
                      Discuss this post
                    </a>
                  )}
                  {editUrl && (
                    <a className="button" href={editUrl}>
                      <PencilIcon /> Edit this post
                    </a>
                  )}
                </p>
                {license && (
                  <p className="post-license">
                    License:{" "}
                    <a href={license.url} rel="license">
                      {license.name}
                    </a>
                  </p>
                )}
              </section>
              <AuthorCard author={author} />
            </div>
          </div>
        </div>
      </article>
      {recommendations}
      {extras}
    </div>
  );
}

function PostStateNotice({ draft, archived }: { draft: boolean; archived: boolean }) {
  if (draft) {
    return (
      <p className="notice" role="note">
        <strong>Draft.</strong> Unlisted, not counted, and likely to change.
      </p>
    );
  }
  if (archived) {
    return (
      <p className="notice" role="note">
        <strong>Archived.</strong> Accurate when written; no longer updated.
      </p>
    );
  }
  return null;
}

function Translations({ post, editUrl }: { post: Post; editUrl: string | null }) {
  const { translations } = post.frontMatter;
  if (translations.length === 0 && !editUrl) return null;
  return (
    <div className="post-langs">
      {translations.length > 0 && (
        <>
          <span>Translations:</span>
          <ul>
            {translations.map(({ language, link, author }) => (
              <li key={link}>
                <a href={link} dir="auto">
                  {language}
                </a>
                {author && (
                  <> by {author.link ? <a href={author.link}>{author.name}</a> : author.name}</>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      {editUrl && <a href={editUrl}>Add translation</a>}
    </div>
  );
}
