// Serves GET /calls/audio/SLUG/{call,answer,episode}, with or without extension: the audio of a published episode.

import { audioResponse } from "#lib/calls/audio-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { AppError } from "#lib/core/errors.ts";
import { type EpisodeAudioKind, findEpisodeAudio } from "#lib/calls/episodes.ts";
import { read } from "#lib/db/database.ts";

export const dynamic = "force-dynamic";

/** Caches may serve a copy for an hour after the episode is unpublished. */
const CACHE_CONTROL = "public, max-age=3600";

interface Context {
  readonly params: Promise<{ slug: string; file: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { slug, file } = await params;
    const [, kind, extension] = /^(call|answer|episode)(?:\.([a-z0-9]{2,4}))?$/.exec(file) ?? [];
    const audio = kind
      ? await read((tx) => findEpisodeAudio(tx, slug, kind as EpisodeAudioKind))
      : null;
    if (!audio || (extension && extension !== audio.sniffed.extension))
      throw new AppError("not_found", "This recording doesn’t exist.");
    const response = audioResponse(request, {
      bytes: audio.bytes,
      contentType: audio.sniffed.contentType,
      filename: `${audio.title}.${audio.sniffed.extension}`,
      etag: audio.etag,
      cacheControl: CACHE_CONTROL,
    });
    // Podcast apps on the web play it in their own pages.
    response.headers.set("cross-origin-resource-policy", "cross-origin");
    return response;
  });
}

export const HEAD = GET;
