// Builds an issue's email: the note, the post, and the subscriber's links.

import { unsubscribeUrls } from "#lib/members/subscribers.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";
import { renderFeedHtml } from "#lib/posts/feeds/feed-html.ts";
import { htmlToText } from "#lib/posts/feeds/html-to-text.ts";
import type { Post } from "#lib/posts/post.ts";
import { getSiteMetadata, postUrl } from "#lib/posts/site-metadata.ts";
import { env } from "#lib/core/env.ts";
import { escapeHtml } from "#lib/core/escape-html.ts";

/** What an issue sends, the same for every subscriber. */
export interface IssueContent {
  readonly subject: string;
  readonly intro: string;
  readonly html: string;
  readonly text: string;
}

/** Renders a post as it is now; its description if it can't be rendered. */
export function renderPostForEmail(post: Post): { html: string; text: string } {
  const { title, description } = post.frontMatter;
  const url = postUrl(getSiteMetadata(), post);
  const heading = `<h1 style="line-height:1.2;margin:0 0 20px"><a href="${escapeHtml(url)}">${escapeHtml(title)}</a></h1>`;
  const body = renderFeedHtml(post) ?? `<p>${escapeHtml(description)}</p>`;
  return { html: heading + body, text: `${title}\n${url}\n\n${htmlToText(body)}` };
}

/** Returns the email to one subscriber. A preview has none, so its link names none. */
export function buildIssueEmail(
  { subject, intro, html, text }: IssueContent,
  { email, subscriberId }: { email: string; subscriberId: string | null },
): EmailMessage {
  const urls = subscriberId === null ? null : unsubscribeUrls(subscriberId);
  return {
    to: email,
    subject,
    parts: [
      ...(intro === "" ? [] : intro.split(/\n{2,}/)),
      { html, text },
      {
        link: urls?.page ?? `${env.SITE_URL}/unsubscribe`,
        label: "Unsubscribe or choose topics",
        isSmall: true,
      },
    ],
    ...(urls && { unsubscribeUrl: urls.oneClick }),
  };
}
