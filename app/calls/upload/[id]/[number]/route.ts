// Serves PUT /calls/upload/ID/N: stores a part. The expected size limits how much of the body is read.

import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer, writeAuthorized } from "#lib/members/write-authorized.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { readBody } from "#lib/http/read-body.ts";
import { assertPartLength, getUpload, expectedPartLength, putPart } from "#lib/calls/upload.ts";
import { read } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

export const dynamic = "force-dynamic";

/** Enough for a part at 70 kbit/s. */
const PART_TIMEOUT_MS = 60_000;
/** Maximum concurrent parts per member, which limits memory. */
const MAX_CONCURRENT_PARTS = 4;
const activeReads = new Semaphore(Infinity, MAX_CONCURRENT_PARTS);

interface Context {
  readonly params: Promise<{ id: string; number: string }>;
}

export function PUT(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    const { id: rawId, number: digits } = await params;
    const id = rawId.toLowerCase();
    const number = /^\d{1,4}$/.test(digits) ? Number(digits) : -1;
    const sessionIds = await readSessionCookies();
    const { upload, memberId } = await read(async (tx) => {
      const member = await requireViewer(tx, sessionIds, { role: "member" });
      return { upload: await getUpload(tx, { id, member }), memberId: member.id };
    });
    const maxBytes = expectedPartLength(upload, number);
    const contentLength = request.headers.get("content-length");
    if (contentLength !== null && Number(contentLength) < maxBytes)
      assertPartLength(upload, number, Number(contentLength));
    const message = `Send at most ${MAX_CONCURRENT_PARTS} parts at the same time.`;
    const release = activeReads.acquire(memberId, {
      perKeyMessage: message,
      totalMessage: message,
      retryAfterSeconds: 1,
    });
    const bytes = await readBody(request, { maxBytes, timeoutMs: PART_TIMEOUT_MS }).finally(
      release,
    );
    assertPartLength(upload, number, bytes.length);
    await writeAuthorized(sessionIds, { role: "member" }, (tx, member) =>
      putPart(tx, { id, member, number, bytes }),
    );
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  });
}
