// Renders the link to the section at which a member stopped reading.

import type { Messages } from "#lib/core/messages/en.ts";
import type { Heading } from "#lib/posts/mdx/compiled-post.ts";
import { MIN_RESUMABLE_MINUTES } from "#lib/reading/reading-place.ts";

interface Props {
  readonly headings: readonly Heading[];
  readonly readingMinutes: number;
  /** The ID of a heading, which the post may no longer have; null if there is nothing to continue. */
  readonly place: string | null;
  readonly messages: Messages;
}

/** For members. `data-keep-place` asks the page's script to send the place (track-section.ts). */
export function ContinueReading({ headings, readingMinutes, place, messages }: Props) {
  if (readingMinutes < MIN_RESUMABLE_MINUTES) return null;
  const heading = headings.find(({ id }) => id === place);
  return (
    <div data-keep-place="">
      {heading && (
        <p className="continue-reading">
          {messages.continueReading} <a href={`#${heading.id}`}>{heading.text}</a>
        </p>
      )}
    </div>
  );
}
