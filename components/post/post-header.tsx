// Renders the header of a post: title, byline, topics, translations and image.

import type { ReactNode } from "react";
import type { Messages } from "#lib/core/messages/en.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import type { Post } from "#lib/posts/post.ts";
import { laterUpdateDay } from "#lib/posts/post-dates.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import { postLanguage } from "#lib/posts/translations.ts";
import { type Author, AuthorPortrait } from "./author-card.tsx";
import { HeroImage } from "./hero-image.tsx";
import { TopicLinks } from "./topic-links.tsx";

interface Props {
  readonly post: Post;
  readonly author: Author;
  /** The post in other languages. */
  readonly translations: readonly Post[];
  readonly messages: Messages;
  /** Rendered below the byline. */
  readonly children?: ReactNode;
}

export function PostHeader({ post, author, translations, messages, children }: Props) {
  const { frontMatter, hero } = post;
  const language = languageAttributes(frontMatter);
  return (
    <header className="post-head wrap">
      <div>
        <PostStateNotice {...frontMatter} messages={messages} />
        <h1 id="post-title" {...language}>
          {frontMatter.title}
        </h1>
        <Byline post={post} author={author} messages={messages} />
        <TopicLinks frontMatter={frontMatter} messages={messages} />
        <Translations post={post} others={translations} messages={messages} />
        {children}
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
  );
}

function Byline({ post, author, messages }: Pick<Props, "post" | "author" | "messages">) {
  const { date } = post.frontMatter;
  const updated = laterUpdateDay(post);
  return (
    <div className="byline">
      <AuthorPortrait author={author} />
      <div>
        <p>
          {messages.byAuthor}{" "}
          <a href="/about" rel="author">
            {author.name}
          </a>
        </p>
        <p className="post-when figures">
          <time dateTime={date}>{messages.date(date)}</time> —{" "}
          {updated && (
            <>
              {messages.updated} <time dateTime={updated}>{messages.date(updated)}</time> —{" "}
            </>
          )}
          <span>{messages.readingTime(post.compiled.readingMinutes)}</span>
        </p>
      </div>
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
  messages,
}: {
  post: Post;
  others: readonly Post[];
  messages: Messages;
}) {
  const credited = post.frontMatter.translations;
  const links = new Set(credited.map(({ link }) => link));
  const uncredited = others.filter((other) => !links.has(postUrlPath(other)));
  if (credited.length + uncredited.length === 0) return null;
  return (
    <div className="post-langs">
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
                {messages.by} {author.link ? <a href={author.link}>{author.name}</a> : author.name}
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Returns the language's own name: "Deutsch" for "de". */
function languageName(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}
