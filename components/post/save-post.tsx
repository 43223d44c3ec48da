// Renders the form that saves a post for later, or removes it. A personal part of the page.

import { BookmarkIcon } from "#components/ui/icons.tsx";
import type { Messages } from "#lib/core/messages/en.ts";

interface Props {
  readonly slug: string;
  /** Where a guest returns after the login. */
  readonly path: string;
  /** Null for a guest. */
  readonly isSaved: boolean | null;
  readonly messages: Messages;
}

/**
 * Plain HTML: the page's script submits it without a reload (reading-tracker.tsx). CSS derives the
 * button's label from the field.
 */
export function SavePost({ slug, path, isSaved, messages }: Props) {
  if (isSaved === null)
    return (
      <p className="save-post">
        <a className="button button-plain" href={`/login?next=${encodeURIComponent(path)}`}>
          <BookmarkIcon /> {messages.saveForLater}
        </a>
      </p>
    );
  return (
    <form className="save-post" method="post" action="/me/saved" data-save="">
      <input type="hidden" name="slug" value={slug} />
      <input type="hidden" name="isSaved" value={isSaved ? "no" : "yes"} />
      <button type="submit" className="button button-plain">
        <BookmarkIcon />
        <span className="save-off">{messages.saveForLater}</span>
        <span className="save-on">
          {messages.saved} <span className="visually-hidden">{messages.pressToRemove}</span>
        </span>
      </button>
      <span role="status" data-yes={messages.savedStatus} data-no={messages.removedStatus} />
    </form>
  );
}
