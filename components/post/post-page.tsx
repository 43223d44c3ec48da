// Renders the page of a post, both for the static variant and for a viewer.

import type { ReactNode } from "react";
import { LinkIcon, MailIcon, PencilIcon } from "#components/ui/icons.tsx";
import { SiteMark } from "#components/ui/logo.tsx";
import { type Messages, en } from "#lib/core/messages/en.ts";
import type { Post } from "#lib/posts/post.ts";
import { laterUpdateDay } from "#lib/posts/post-dates.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import type { Series } from "#lib/posts/series.ts";
import { postLanguage } from "#lib/posts/translations.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { type Author, AuthorCard } from "./author-card.tsx";
import { HeroImage } from "./hero-image.tsx";
import { PROSE_CLASS } from "./prose-class.ts";
import { SeriesBox, SeriesNeighbors } from "./series-box.tsx";
import { TocAside, TocDisclosure } from "./table-of-contents.tsx";

export interface PostPageProps {
  readonly post: Post;
  /** Null if the post is not part of one. */
  readonly series: Series | null;
  /** The post in other languages. */
  readonly translations?: readonly Post[];
  readonly messages?: Messages;
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
  translations = [],
  messages = en,
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
            <PostStateNotice {...frontMatter} messages={messages} />
            <h1 id="post-title" {...language}>
              {frontMatter.title}
            </h1>
            <p className="post-when figures">
              <time dateTime={frontMatter.date}>{messages.date(frontMatter.date)}</time> —{" "}
              {updated && (
                <>
                  {messages.updated} <time dateTime={updated}>{messages.date(updated)}</time> —{" "}
                </>
              )}
              {messages.readingTime(compiled.readingMinutes)}
            </p>
            <Translations post={post} others={translations} editUrl={editUrl} messages={messages} />
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
          <TocAside headings={compiled.headings} language={language} title={messages.contents} />
          <div className="post-column">
            <TocDisclosure
              headings={compiled.headings}
              language={language}
              title={messages.contents}
            />
            {series && <SeriesBox series={series} slug={post.slug} messages={messages} />}
            <div className={PROSE_CLASS} {...language}>
              {children}
            </div>
            <div className="post-end" data-article-end="">
              <SiteMark />
            </div>
            <div className="post-after">
              {series && <SeriesNeighbors series={series} messages={messages} />}
              {standings}
              <section aria-labelledby="share-title">
                <h2 id="share-title" className="visually-hidden">
                  {messages.shareAndEdit}
                </h2>
                <p className="post-share">
                  <button type="button" className="button needs-script" data-copy={url}>
                    <LinkIcon /> {messages.copyLink}
                  </button>
                  <a
                    className="button"
                    href={`mailto:?subject=${encodeURIComponent(frontMatter.title)}&body=${encodeURIComponent(url)}`}
                  >
                    <MailIcon /> {messages.email}
                  </a>
                  {discussUrl && (
                    <a className="button" href={discussUrl}>
                      {messages.discuss}
                    </a>
                  )}
                  {editUrl && (
                    <a className="button" href={editUrl}>
                      <PencilIcon /> {messages.edit}
                    </a>
                  )}
                </p>
                {license && (
                  <p className="post-license">
                    {messages.license}{" "}
                    <a href={license.url} rel="license">
                      {license.name}
                    </a>
                  </p>
                )}
              </section>
              <AuthorCard author={author} messages={messages} />
            </div>
          </div>
        </div>
      </article>
      {recommendations}
      {extras}
    </div>
  );
}

function PostStateNotice({
  draft,
  archived,
  messages,
}: {
  draft: boolean;
  archived: boolean;
  messages: Messages;
}) {
  if (draft) {
    return (
      <p className="notice" role="note">
        <strong>{messages.draft}</strong> {messages.draftNotice}
      </p>
    );
  }
  if (archived) {
    return (
      <p className="notice" role="note">
        <strong>{messages.archived}</strong> {messages.archivedNotice}
      </p>
    );
  }
  return null;
}

/** Lists the post's languages: those of this site, then those that the author names. */
function Translations({
  post,
  others,
  editUrl,
  messages,
}: {
  post: Post;
  others: readonly Post[];
  editUrl: string | null;
  messages: Messages;
}) {
  const credited = post.frontMatter.translations;
  const links = new Set(credited.map(({ link }) => link));
  const uncredited = others.filter((other) => !links.has(postUrlPath(other)));
  if (credited.length + uncredited.length === 0 && !editUrl) return null;
  return (
    <div className="post-langs">
      {credited.length + uncredited.length > 0 && (
        <>
          <span>{messages.translations}</span>
          <ul>
            {uncredited.map((other) => (
              <li key={other.slug}>
                <a href={postUrlPath(other)} hrefLang={postLanguage(other)} dir="auto">
                  {languageName(postLanguage(other))}
                </a>
              </li>
            ))}
            {credited.map(({ language, link, author }) => (
              <li key={link}>
                <a href={link} dir="auto">
                  {language}
                </a>
                {author && (
                  <>
                    {" "}
                    {messages.by}{" "}
                    {author.link ? <a href={author.link}>{author.name}</a> : author.name}
                  </>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      {editUrl && <a href={editUrl}>{messages.addTranslation}</a>}
    </div>
  );
}

/** Returns the language's own name: "Deutsch" for "de". */
function languageName(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}
