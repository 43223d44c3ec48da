// Serves GET /admin/calls/ID/answer: an answer's audio before it is published, for admins.

import { audioResponse } from "#lib/calls/audio-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { AppError } from "#lib/core/errors.ts";
import { sniffAudio } from "#lib/calls/audio/probe.ts";
import { findAnswerAudio } from "#lib/calls/review-queue.ts";
import { read } from "#lib/db/database.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

export const dynamic = "force-dynamic";

interface Context {
  readonly params: Promise<{ id: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { id } = await params;
    const sessionIds = await readSessionCookies();
    const answer = await read(async (tx) =>
      findAnswerAudio(tx, {
        admin: await requireViewer(tx, sessionIds, { role: "admin" }),
        callId: id,
      }),
    );
    const sniffed = answer && sniffAudio(answer.audio);
    if (!sniffed) throw new AppError("not_found", "This answer doesn’t exist.");
    return audioResponse(request, {
      bytes: answer.audio,
      contentType: sniffed.contentType,
      filename: `answer.${sniffed.extension}`,
      etag: `${id}-${answer.createdAt}`,
      cacheControl: "private, no-store",
    });
  });
}

export const HEAD = GET;
