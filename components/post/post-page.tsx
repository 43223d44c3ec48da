// The page of one post, the same for the shared variant and for a reader of their own: what differs comes in as data.

import type { ReactNode } from "react";
import { StandingsList, describeStandings } from "#components/team/standings-list.tsx";
import { LinkIcon, MailIcon, SiteMark, PencilIcon } from "#components/ui/icons.tsx";
import { formatCount, formatDate, formatReadingTime } from "#lib/core/format.ts";
import type { Post } from "#lib/posts/post.ts";
import type { Standing } from "#lib/reading/standings.ts";
import { HeroImage } from "./hero-image.tsx";
import type { PostCardData } from "./post-card.tsx";
import { Recommendations } from "./recommendations.tsx";
import { TocAside, TocDisclosure } from "./table-of-contents.tsx";

export interface PostPageProps {
  readonly post: Post;
  /** Best first. */
  readonly standings: readonly Standing[];
  /** Counted reads of this post, anonymous ones included. */
  readonly reads: number;
  readonly recommendations: readonly PostCardData[];
  readonly url: string;
  /** Where the post's file can be edited, or null. */
  readonly editUrl: string | null;
  readonly author: string;
  /** The rendered text. */
  readonly children: ReactNode;
  /** What stands outside the text: the read counter, structured data. */
  readonly extras?: ReactNode;
}

/** The whole of a post's page below the header. Its accent is that of the team that leads the post. */
export function PostPage({
  post,
  standings,
  reads,
  recommendations,
  url,
  editUrl,
  author,
  children,
  extras,
}: PostPageProps) {
  const { frontMatter, compiled, hero } = post;
  const leader = standings[0] && standings[0].readsPerMember > 0 ? standings[0].team : undefined;
  return (
    <div data-team={leader}>
      <article aria-labelledby="post-title">
        <header className="post-head wrap">
          <div>
            <PostStateNotice draft={frontMatter.draft} archived={frontMatter.archived} />
            <h1 id="post-title">{frontMatter.title}</h1>
            <p className="post-when figures">
              <time dateTime={frontMatter.date}>{formatDate(frontMatter.date)}</time> —{" "}
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
              {frontMatter.bannerCredit && <figcaption>{frontMatter.bannerCredit}</figcaption>}
            </figure>
          )}
        </header>
        <div className="post-body wrap">
          <TocAside headings={compiled.headings} />
          <div className="post-column">
            <TocDisclosure headings={compiled.headings} />
            <div className="prose">{children}</div>
            <div className="post-end" data-article-end="">
              <SiteMark />
            </div>
            <div className="post-after">
              <section aria-labelledby="standing-title">
                <h2 id="standing-title">Who reads this</h2>
                <p className="standing-say figures">
                  {describeStandings(standings, "this post")} {readCountSentence(reads)}
                </p>
                <StandingsList standings={standings} />
              </section>
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
                    <MailIcon /> Send by mail
                  </a>
                  {editUrl && (
                    <a className="button" href={editUrl}>
                      <PencilIcon /> Edit this post
                    </a>
                  )}
                </p>
              </section>
              <section className="author" aria-labelledby="author-title">
                <SiteMark />
                <div>
                  <h2 id="author-title">{author}</h2>
                  <p>
                    Writes this site and the program that serves it. What the posts describe is what
                    is running while you read them, and{" "}
                    <a href="/about">the rest of the story is here</a>.
                  </p>
                </div>
              </section>
            </div>
          </div>
        </div>
      </article>
      <Recommendations
        title="If you found this article helpful."
        text="You will love these ones as well."
        cards={recommendations}
      />
      {extras}
    </div>
  );
}

function readCountSentence(reads: number): string {
  if (reads === 0) return "Nobody has read it to its end yet.";
  return `It has been read to its end ${reads === 1 ? "once" : `${formatCount(reads)} times`}.`;
}

function PostStateNotice({ draft, archived }: { draft: boolean; archived: boolean }) {
  if (draft) {
    return (
      <p className="notice" role="note">
        <strong>A draft.</strong> It stands in no list, its reads don’t count, and it may change or
        go.
      </p>
    );
  }
  if (archived) {
    return (
      <p className="notice" role="note">
        <strong>Archived.</strong> It was right when it was written. It is kept as it was, and is
        not kept up to date.
      </p>
    );
  }
  return null;
}

function Translations({ post, editUrl }: { post: Post; editUrl: string | null }) {
  const { translations } = post.frontMatter;
  return (
    <div className="post-langs">
      {translations.length === 0 ? (
        <span>No translations available.</span>
      ) : (
        <>
          <span>Translations:</span>
          <ul>
            {translations.map(({ language, link, author }) => (
              <li key={link}>
                <a href={link}>{language}</a>
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
