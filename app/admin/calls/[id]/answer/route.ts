// GET /admin/calls/ID/answer: the sound of an answer before it is published, for admins.

import { audioResponse } from "#lib/calls/audio-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { AppError } from "#lib/core/errors.ts";
import { sniffAudio } from "#lib/calls/audio/probe.ts";
import { findAnswerAudio } from "#lib/calls/review-queue.ts";
import { readSql } from "#lib/db/database.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

export const dynamic = "force-dynamic";

interface Context {
  readonly params: Promise<{ id: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { id } = await params;
    const identity = await readSessionCookies();
    const found = await readSql((sql) =>
      findAnswerAudio(sql, { by: requireViewer(sql, identity, { role: "admin" }), callId: id }),
    );
    const sniffed = found && sniffAudio(found.audio);
    if (!sniffed) throw new AppError("not_found", "There is no such answer.");
    return audioResponse(request, {
      bytes: found.audio,
      contentType: sniffed.contentType,
      filename: `answer.${sniffed.extension}`,
      etag: `${encodeURIComponent(id)}-${found.createdAt}`,
      cacheControl: "private, no-store",
    });
  });
}

export const HEAD = GET;
