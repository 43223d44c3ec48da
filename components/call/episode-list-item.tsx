// Shows an episode in the list.

import type { Program } from "#lib/calls/client/listening.ts";
import { formatDate, formatDuration, formatIsoDate } from "#lib/core/format.ts";
import { PlayButton } from "./episode-player.tsx";

export interface ListedEpisode {
  readonly number: number;
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly callerName: string;
  readonly publishedAt: number;
  /** The total length of its audio. */
  readonly durationMs: number;
  readonly program: Program;
}

export function EpisodeListItem({
  episode: { number, slug, title, description, callerName, publishedAt, durationMs, program },
}: {
  episode: ListedEpisode;
}) {
  const day = formatIsoDate(publishedAt);
  return (
    <li className="post-line">
      <p className="card-meta figures">
        <span>
          Episode {number}, {formatDuration(durationMs)}
        </span>
        <time dateTime={day}>{formatDate(day)}</time>
        <PlayButton program={program} title={title} />
        <span className="player-place" data-place="" />
      </p>
      <div>
        <h3>
          <a className="card-link" href={`/calls/${slug}`}>
            {title}
          </a>
        </h3>
        <p className="card-text">
          {callerName} asks: {truncateText(description)}
        </p>
      </div>
    </li>
  );
}

const MAX_CHARS = 180;

/** Truncates a text between words. */
function truncateText(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= MAX_CHARS) return line;
  return `${line
    .slice(0, MAX_CHARS)
    .toWellFormed()
    .replace(/\s+\S*$/, "")}…`;
}
