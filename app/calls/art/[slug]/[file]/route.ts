// Serves GET /calls/art/SLUG/{512,3000,social}.png: the art of a published episode, for players,
// directories and link previews.

import { z } from "zod";
import { defineCache } from "#lib/cache/define-cache.ts";
import { measureLoudness } from "#lib/calls/audio/loudness.ts";
import { findEpisodeAudio } from "#lib/calls/episodes.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { conditionalResponse, createCacheableBody } from "#lib/http/conditional-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { type ArtSize, BARS, drawArt } from "./draw-art.ts";

export const dynamic = "force-dynamic";

const MAX_AGE_SECONDS = 3_600;
const TIMEOUT_MS = 10_000;
/** Increase this when the design changes. */
const DESIGN_VERSION = 1;

/** By file name. Apple requires 1,400 to 3,000 pixels for episode art. */
const SIZES: Readonly<Record<string, ArtSize>> = {
  "512.png": { width: 512, height: 512 },
  "3000.png": { width: 3_000, height: 3_000 },
  "social.png": { width: 1_200, height: 630 },
};

// One at a time: a large image takes a few hundred milliseconds of CPU time.
const drawing = new Semaphore(1);

interface ArtRequest {
  readonly file: string;
  /** Changes with the recording. */
  readonly etag: string;
  readonly bytes: Uint8Array;
}

/** The PNG as base64. */
const artCache = defineCache<ArtRequest, string>({
  name: "episode-art",
  version: DESIGN_VERSION,
  keyOf: ({ file, etag }) => JSON.stringify([file, etag, siteConfig.logo, siteConfig.accent]),
  schema: z.base64(),
  ttlMs: 365 * DAY_MS,
  timeoutMs: TIMEOUT_MS,
  produce: async ({ file, bytes }) => {
    const limit = { maxWaitMs: TIMEOUT_MS, message: "Too many images are being drawn." };
    const draw = () => drawArt(siteConfig, measureLoudness(bytes, BARS), SIZES[file]!);
    return (await drawing.run(draw, limit)).toString("base64");
  },
});

interface Context {
  readonly params: Promise<{ slug: string; file: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { slug, file } = await params;
    const audio = Object.hasOwn(SIZES, file)
      ? await read(
          async (tx) =>
            (await findEpisodeAudio(tx, slug, "episode")) ??
            (await findEpisodeAudio(tx, slug, "answer")),
        )
      : null;
    if (!audio) throw new AppError("not_found", "This image doesn’t exist.");
    const png = await artCache.get({ file, etag: audio.etag, bytes: audio.bytes });
    return conditionalResponse(
      request,
      createCacheableBody(Buffer.from(png, "base64")),
      "image/png",
      MAX_AGE_SECONDS,
      // Podcast apps on the web show it in their own pages.
      { "cross-origin-resource-policy": "cross-origin" },
    );
  });
}

export const HEAD = GET;
