// Serves GET and DELETE /calls/upload/ID: returns the state of an upload, or deletes it.

import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer, writeAuthorized } from "#lib/members/write-authorized.ts";
import { getUpload, removeUpload } from "#lib/calls/upload.ts";
import { read } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { uploadStateResponse } from "#app/calls/upload/upload-state-response.ts";

export const dynamic = "force-dynamic";

interface Context {
  readonly params: Promise<{ id: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    // A replica may not have the latest part yet.
    await ensurePrimary();
    const { id } = await params;
    const sessionIds = await readSessionCookies();
    return uploadStateResponse(
      await read(async (tx) =>
        getUpload(tx, {
          id: id.toLowerCase(),
          member: await requireViewer(tx, sessionIds, { role: "member" }),
        }),
      ),
    );
  });
}

/** Deletes an upload. Idempotent: returns 204 even if it doesn't exist. */
export function DELETE(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    const { id } = await params;
    await writeAuthorized(await readSessionCookies(), { role: "member" }, (tx, member) =>
      removeUpload(tx, { id: id.toLowerCase(), member }),
    );
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  });
}
