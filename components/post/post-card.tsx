// Renders a post in a list: as a card, as the featured card, or as a line.

import { LeaderDot } from "#components/team/leader-dot.tsx";
import { SiteMark } from "#components/ui/logo.tsx";
import { MarkedText } from "#components/ui/marked-text.tsx";
import type { TextSegment } from "#lib/search/search-query.ts";
import { type Messages, en } from "#lib/core/messages/en.ts";
import { findMessages } from "#lib/core/messages/find-messages.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import type { PostSummary } from "#lib/posts/post.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import type { LeadingTeams } from "#lib/reading/lead.ts";
import { HeroImage } from "./hero-image.tsx";
import { TopicLinks } from "./topic-links.tsx";

export interface PostCardData {
  readonly post: PostSummary;
  readonly leadingTeams: LeadingTeams;
  /** Whether the viewer has read it. */
  readonly isRead?: boolean;
  /** Published since the member's last visit. */
  readonly isNew?: boolean;
  /** Replaces the post's title, with matches marked. */
  readonly title?: readonly TextSegment[];
  readonly snippet?: readonly TextSegment[];
  /** English by default. */
  readonly messages?: Messages | undefined;
}

const CARD_SIZES = "(min-width: 75rem) 23rem, (min-width: 44rem) 45vw, 92vw";
const FEATURED_SIZES = "(min-width: 75rem) 43rem, (min-width: 48rem) 55vw, 92vw";

/** Also states the site's language, if the page around the card is in another one. */
function statedLanguage({ frontMatter }: PostSummary, messages: Messages | undefined) {
  const isForeign = messages !== undefined && messages !== findMessages(siteConfig.language);
  return languageAttributes(
    isForeign ? { lang: frontMatter.lang ?? siteConfig.language } : frontMatter,
  );
}

function Title({ post, title, level, messages }: PostCardData & { level: 2 | 3 }) {
  const Heading = `h${level}` as const;
  return (
    <Heading {...statedLanguage(post, messages)}>
      <a className="card-link" href={postUrlPath(post)}>
        {title ? <MarkedText segments={title} /> : post.frontMatter.title}
      </a>
    </Heading>
  );
}

/** The description, or in a search the part of the text that matches. */
function Description({ post, snippet, messages }: PostCardData) {
  const text = snippet ?? [{ text: post.frontMatter.description, isMatch: false }];
  return (
    <p className="card-text" {...statedLanguage(post, messages)}>
      <MarkedText segments={text} />
    </p>
  );
}

function Meta({ post, leadingTeams, isRead, isNew, messages = en }: PostCardData) {
  return (
    <p className="card-meta">
      {isNew && <strong className="card-new">{messages.isNew}</strong>}
      <time dateTime={post.frontMatter.date}>{messages.date(post.frontMatter.date)}</time>
      <span className="card-time">
        {messages.readingTime(post.readingMinutes)}
        {isRead && <span className="card-read"> · {messages.isRead}</span>}
        <LeaderDot teams={leadingTeams} messages={messages} />
      </span>
    </p>
  );
}

function Picture({ post, sizes, first }: { post: PostSummary; sizes: string; first?: boolean }) {
  // alt is empty, since the title next to the image is the link's name.
  if (post.hero)
    return <HeroImage className="card-hero" image={post.hero} alt="" sizes={sizes} first={first} />;
  return (
    <span className="card-hero card-hero-none">
      <SiteMark />
    </span>
  );
}

/** A card with its image on top. `first`: the card is above the fold. `id`: the target of "Load more". */
export function PostCard({
  level = 3,
  first,
  id,
  ...card
}: PostCardData & { level?: 2 | 3; first?: boolean; id?: string }) {
  return (
    <article className="card" id={id}>
      <Picture post={card.post} sizes={CARD_SIZES} first={first} />
      <Meta {...card} />
      <Title {...card} level={level} />
      <Description {...card} />
      <TopicLinks {...card.post} messages={card.messages} />
    </article>
  );
}

/** The featured card, with its image, if any, next to the text. `why` says why it is featured. */
export function FeaturedCard({ why, ...card }: PostCardData & { why: string }) {
  return (
    <article className="card card-lead">
      {card.post.hero && <Picture post={card.post} sizes={FEATURED_SIZES} first />}
      <div>
        <p className="card-why">{why}</p>
        <Title {...card} level={2} />
        <Description {...card} />
        <Meta {...card} />
        <TopicLinks {...card.post} messages={card.messages} />
      </div>
    </article>
  );
}

/** A post as a line. `id`: the target of "Load more". */
export function PostLine({ id, ...card }: PostCardData & { id?: string }) {
  return (
    <article className="post-line" id={id}>
      <Meta {...card} />
      <div>
        <Title {...card} level={3} />
        <Description {...card} />
      </div>
    </article>
  );
}
