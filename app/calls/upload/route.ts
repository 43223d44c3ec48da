// Serves POST /calls/upload: creates an upload, or returns the state of the same one.

import { z } from "zod";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer, writeAuthorized } from "#lib/members/write-authorized.ts";
import { AppError } from "#lib/core/errors.ts";
import { uuidField } from "#lib/core/validate.ts";
import { readBody } from "#lib/http/read-body.ts";
import { ANSWER_LIMITS, assertAudioSize } from "#lib/calls/audio/probe.ts";
import { createUpload } from "#lib/calls/upload.ts";
import { read } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { uploadStateResponse } from "./upload-state-response.ts";

export const dynamic = "force-dynamic";

const MAX_BODY_BYTES = 1_024;

const UploadAnnouncement = z.object(
  {
    id: uuidField(),
    size: z
      .int({ error: "size must be a whole number of bytes." })
      .min(1, { error: "The recording is empty. Record it again." }),
    sha256: z.string({ error: "sha256 is missing." }).regex(/^[0-9a-f]{64}$/, {
      error: "sha256 must be the hash of the whole recording in 64 hex digits.",
    }),
  },
  { error: "The body must be {id, size, sha256}." },
);

function parseAnnouncement(bytes: Uint8Array) {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new AppError("invalid", "The body must be JSON.", { field: "body" });
  }
  const parsed = UploadAnnouncement.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError("invalid", issue!.message, { field: String(issue!.path[0] ?? "body") });
}

export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    const sessionIds = await readSessionCookies();
    await read((tx) => requireViewer(tx, sessionIds, { role: "member" }));
    const announcement = parseAnnouncement(await readBody(request, { maxBytes: MAX_BODY_BYTES }));
    // Checks the larger of both limits before the write queue.
    assertAudioSize(announcement.size, ANSWER_LIMITS);
    return uploadStateResponse(
      await writeAuthorized(sessionIds, { role: "member" }, (tx, member) =>
        createUpload(tx, { ...announcement, member }),
      ),
    );
  });
}
