// Renders what a reader may do with a post: share, discuss, reply, and edit.

import { LinkIcon, MailIcon, PencilIcon } from "#components/ui/icons.tsx";
import type { Messages } from "#lib/core/messages/en.ts";
import type { Author } from "./author-card.tsx";

export interface PostActionsProps {
  readonly title: string;
  readonly url: string;
  /** URL to edit the post's file, or null. */
  readonly editUrl: string | null;
  /** URL of the discussion of the post, or null. */
  readonly discussUrl: string | null;
  readonly author: Pick<Author, "email">;
  readonly messages: Messages;
  readonly license?: { readonly name: string; readonly url: string } | undefined;
}

const mailto = (address: string, fields: Record<string, string>) =>
  `mailto:${address}?${Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&")}`;

export function PostActions({
  title,
  url,
  editUrl,
  discussUrl,
  author,
  license,
  messages,
}: PostActionsProps) {
  return (
    <section aria-labelledby="share-title">
      <h2 id="share-title" className="visually-hidden">
        {messages.shareAndEdit}
      </h2>
      <p className="post-share">
        <button type="button" className="button needs-script" data-copy={url}>
          <LinkIcon /> {messages.copyLink}
        </button>
        <a className="button" href={mailto("", { subject: title, body: url })}>
          <MailIcon /> {messages.email}
        </a>
        {discussUrl && (
          <a className="button" href={discussUrl}>
            {messages.discuss}
          </a>
        )}
        {author.email && (
          <a className="button" href={mailto(author.email, { subject: `Re: ${title}`, body: url })}>
            <MailIcon /> {messages.replyByEmail}
          </a>
        )}
      </p>
      {editUrl && (
        <p className="post-edit">
          <a href={editUrl}>
            <PencilIcon /> {messages.edit}
          </a>
          <a href={editUrl}>{messages.addTranslation}</a>
        </p>
      )}
      {license && (
        <p className="post-license">
          {messages.license}{" "}
          <a href={license.url} rel="license">
            {license.name}
          </a>
        </p>
      )}
    </section>
  );
}
