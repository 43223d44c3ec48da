// GET /calls/audio/SLUG/call, /answer, /episode, each also with the extension of its type: the sound of a published episode, for everybody.

import { audioResponse } from "#lib/calls/audio-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { AppError } from "#lib/core/errors.ts";
import { type EpisodeAudioKind, findEpisodeAudio } from "#lib/calls/episodes.ts";
import { readSql } from "#lib/db/database.ts";

export const dynamic = "force-dynamic";

/** Whoever keeps a copy may play it for an hour after the episode was taken down. */
const CACHE_CONTROL = "public, max-age=3600";

interface Context {
  readonly params: Promise<{ slug: string; file: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { slug, file } = await params;
    const [, kind, extension] = /^(call|answer|episode)(?:\.([a-z0-9]{2,4}))?$/.exec(file) ?? [];
    const sound = kind
      ? await readSql((sql) => findEpisodeAudio(sql, slug, kind as EpisodeAudioKind))
      : null;
    if (!sound || (extension && extension !== sound.sniffed.extension))
      throw new AppError("not_found", "There is no such recording.");
    const response = audioResponse(request, {
      bytes: sound.bytes,
      contentType: sound.sniffed.contentType,
      filename: `${sound.title}.${sound.sniffed.extension}`,
      etag: sound.etag,
      cacheControl: CACHE_CONTROL,
    });
    // A podcast app on the web plays it in its own page.
    response.headers.set("cross-origin-resource-policy", "cross-origin");
    return response;
  });
}

export const HEAD = GET;
