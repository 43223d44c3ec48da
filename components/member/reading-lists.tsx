// Renders a member's posts to continue, saved posts and reading history.

import type { ReactNode } from "react";
import { TeamDot } from "#components/team/team-dot.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { formatReadingTime } from "#lib/core/format.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { type PostIndex, findPost } from "#lib/posts/post.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import type { OpenPlace } from "#lib/reading/reading-place.ts";
import type { HistoryEntry } from "#lib/reading/reading-history.ts";
import type { Team } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";

/** A post's title as a link; its slug if the site no longer has the post. */
function PostTitle({ index, slug }: { index: PostIndex; slug: string }) {
  const post = findPost(index, slug);
  if (!post)
    return (
      <span className="muted">
        <span className="key">{slug}</span> (no longer available)
      </span>
    );
  return (
    <a href={postUrlPath(post)} {...languageAttributes(post.frontMatter)}>
      {post.frontMatter.title}
    </a>
  );
}

function List({ children }: { children: ReactNode }) {
  return (
    <div className="me-list">
      <ul className="rows">{children}</ul>
    </div>
  );
}

/** Each link leads to the section at which the member stopped, if the post still has it. */
export function ContinueList({
  index,
  places,
}: {
  index: PostIndex;
  places: readonly OpenPlace[];
}) {
  return (
    <List>
      {places.map(({ slug, heading: id }) => {
        const post = findPost(index, slug)!;
        const heading = post.compiled.headings.find((each) => each.id === id);
        return (
          <li className="row" key={slug}>
            <div className="row-what" {...languageAttributes(post.frontMatter)}>
              <a href={postUrlPath(post) + (heading ? `#${heading.id}` : "")}>
                {post.frontMatter.title}
              </a>
              {heading && <small>{heading.text}</small>}
            </div>
          </li>
        );
      })}
    </List>
  );
}

/** `removeForm` is the id of the form that removes a post. */
export function SavedList({
  index,
  slugs,
  readSlugs,
  removeForm,
}: {
  index: PostIndex;
  slugs: readonly string[];
  readSlugs: ReadonlySet<string>;
  removeForm: string;
}) {
  return (
    <List>
      {slugs.map((slug) => {
        const minutes = findPost(index, slug)?.compiled.readingMinutes;
        return (
          <li className="row" key={slug}>
            <div className="row-what">
              <PostTitle index={index} slug={slug} />
              {minutes !== undefined && (
                <small>
                  {formatReadingTime(minutes)}
                  {readSlugs.has(slug) && " · read"}
                </small>
              )}
            </div>
            <SubmitButton kind="quiet" form={removeForm} name="slug" value={slug}>
              Remove<span className="visually-hidden"> {slug}</span>
            </SubmitButton>
          </li>
        );
      })}
    </List>
  );
}

/** `team` is the member's: all of their reads count for it. */
export function HistoryList({
  index,
  entries,
  team,
}: {
  index: PostIndex;
  entries: readonly HistoryEntry[];
  team: Team | null;
}) {
  const showsTeam = team !== null && siteConfig.features.teams;
  return (
    <List>
      {entries.map(({ slug, readAtMs, counts }) => (
        <li className="row" key={`${slug} ${readAtMs}`}>
          <div className="row-what">
            <PostTitle index={index} slug={slug} />
            <small>
              <Timestamp ms={readAtMs} />
              {showsTeam &&
                (counts ? (
                  <>
                    {" "}
                    · <TeamDot team={team} /> {teamName(team)}
                  </>
                ) : (
                  " · no longer counts"
                ))}
            </small>
          </div>
        </li>
      ))}
    </List>
  );
}
