// Serves GET /calls/recording/ID: the recording of a call, for its owner and for admins.

import { audioResponse } from "#lib/calls/audio-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { getRecording } from "#lib/calls/recording.ts";
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
    const recording = await read(async (tx) =>
      getRecording(tx, { id, member: await requireViewer(tx, sessionIds, { role: "member" }) }),
    );
    return audioResponse(request, { ...recording, cacheControl: "private, no-store" });
  });
}

export const HEAD = GET;
