// Renders the page of a post, both for the static variant and for a viewer.

import type { ReactNode } from "react";
import { SiteMark } from "#components/ui/logo.tsx";
import { type Messages, en } from "#lib/core/messages/en.ts";
import type { Neighbors } from "#lib/posts/neighbors.ts";
import type { Post } from "#lib/posts/post.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import type { Series } from "#lib/posts/series.ts";
import { type Author, AuthorCard } from "./author-card.tsx";
import { PostActions, type PostActionsProps } from "./post-actions.tsx";
import { PostHeader } from "./post-header.tsx";
import { PostNeighbors } from "./post-neighbors.tsx";
import { PROSE_CLASS } from "./prose-class.ts";
import { ReadingTracker } from "./reading-tracker.tsx";
import { SeriesBox } from "./series-box.tsx";
import { TocAside, TocDisclosure } from "./table-of-contents.tsx";

export interface PostPageProps extends Omit<PostActionsProps, "title" | "author" | "messages"> {
  readonly post: Post;
  /** Null if the post is not part of one. */
  readonly series: Series | null;
  readonly neighbors: Neighbors;
  /** The post in other languages. */
  readonly translations?: readonly Post[];
  readonly messages?: Messages;
  /** Also sets the page's accent color: that of the leading team. */
  readonly standings: ReactNode;
  readonly recommendations: ReactNode;
  readonly author: Author;
  /** The form that saves the post. */
  readonly save?: ReactNode;
  /** Links the section at which a member stopped. */
  readonly continueReading?: ReactNode;
  /** Says that the read was counted; null for a draft. */
  readonly readMark: ReactNode;
  /** The rendered text. */
  readonly children: ReactNode;
  /** Whether reading the page to its end counts. */
  readonly isCounted?: boolean;
  /** Rendered after the page: structured data. */
  readonly extras?: ReactNode;
}

/** The page below the site header. */
export function PostPage({
  post,
  series,
  neighbors,
  translations = [],
  messages = en,
  standings,
  recommendations,
  author,
  save,
  continueReading,
  readMark,
  isCounted = false,
  children,
  extras,
  ...actions
}: PostPageProps) {
  const { frontMatter, compiled } = post;
  const language = languageAttributes(frontMatter);
  return (
    <div className="leader-accent post-progress-scope">
      <div className="post-progress" aria-hidden="true" />
      <article aria-labelledby="post-title">
        <PostHeader post={post} author={author} translations={translations} messages={messages}>
          {save}
        </PostHeader>
        <div className="post-body wrap">
          <TocAside headings={compiled.headings} language={language} title={messages.contents} />
          <div className="post-column">
            {continueReading}
            <TocDisclosure
              headings={compiled.headings}
              language={language}
              title={messages.contents}
            />
            {series && <SeriesBox series={series} slug={post.slug} messages={messages} />}
            <div className={PROSE_CLASS} {...language}>
              {children}
            </div>
            <div
              className="post-end"
              data-article-end=""
              data-slug={post.slug}
              data-reading-minutes={compiled.readingMinutes}
              data-is-counted={isCounted ? "" : undefined}
            >
              <SiteMark />
            </div>
            {readMark}
            <div className="post-after">
              <PostNeighbors {...neighbors} messages={messages} />
              {standings}
              <PostActions
                {...actions}
                title={frontMatter.title}
                author={author}
                messages={messages}
              />
              <AuthorCard author={author} messages={messages} />
            </div>
          </div>
        </div>
      </article>
      {recommendations}
      <ReadingTracker />
      {extras}
    </div>
  );
}
