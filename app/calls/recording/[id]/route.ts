// GET /calls/recording/ID: the sound of a call, for its owner and for admins.

import { audioResponse } from "../../audio-response.ts";
import { answer } from "#lib/action/answer.ts";
import { memberOf } from "#lib/action/write-as.ts";
import { getRecording } from "#lib/calls/recording.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { readIdentity } from "#lib/session/session.ts";

export const dynamic = "force-dynamic";

interface Context {
  readonly params: Promise<{ id: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return answer(request, async () => {
    const { id } = await params;
    const identity = await readIdentity();
    const recording = await snapshotSql((sql) =>
      getRecording(sql, { id, member: memberOf(sql, identity, "member") }),
    );
    return audioResponse(request, { ...recording, cacheControl: "private, no-store" });
  });
}

export const HEAD = GET;
