// Serves GET /calls/text/SLUG/{transcript.vtt,transcript.txt,chapters.json} for podcast apps. Those
// on the web read them from their own pages (CORS).

import { episodeChapters, formatChapters } from "#lib/calls/episode-chapters.ts";
import { findEpisode } from "#lib/calls/episodes.ts";
import { formatWebVtt, parseCues, transcriptText } from "#lib/calls/transcript.ts";
import { AppError } from "#lib/core/errors.ts";
import { read } from "#lib/db/database.ts";
import { createCacheableBody, conditionalResponse } from "#lib/http/conditional-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";

export const dynamic = "force-dynamic";

const MAX_AGE_SECONDS = 300;
const CORS_HEADERS = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
};

type FoundEpisode = NonNullable<Awaited<ReturnType<typeof findEpisode>>>;

/** By name: the file's type, and its text; null if the episode has no such file. */
const FILES: Readonly<
  Record<string, { type: string; render: (episode: FoundEpisode) => string | null }>
> = {
  "transcript.vtt": {
    type: "text/vtt; charset=utf-8",
    render({ transcript }) {
      const cues = parseCues(transcript);
      return cues && formatWebVtt(cues);
    },
  },
  "transcript.txt": {
    type: "text/plain; charset=utf-8",
    render: ({ transcript }) => (transcript === "" ? null : `${transcriptText(transcript)}\n`),
  },
  "chapters.json": {
    type: "application/json+chapters",
    render(episode) {
      const chapters = episodeChapters(episode);
      return chapters.length > 0 ? formatChapters(chapters) : null;
    },
  },
};

interface Context {
  readonly params: Promise<{ slug: string; file: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { slug, file: name } = await params;
    const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    const episode = file ? await read((tx) => findEpisode(tx, slug)) : null;
    const text = episode && file!.render(episode);
    if (!file || !text) throw new AppError("not_found", "This file doesn’t exist.");
    return conditionalResponse(
      request,
      createCacheableBody(text),
      file.type,
      MAX_AGE_SECONDS,
      CORS_HEADERS,
    );
  });
}
