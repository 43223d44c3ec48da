// PUT /calls/upload/ID/N: one part. Its size is known before it is read, and nothing more is read.

import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer, writeAuthorized } from "#lib/members/write-authorized.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { readBody } from "#lib/http/read-body.ts";
import { assertPartLength, getUpload, expectedPartLength, putPart } from "#lib/calls/upload.ts";
import { readSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

export const dynamic = "force-dynamic";

/** A part over 70 kbit/s; a slower one is begun again and again in vain, but no longer than this. */
const PART_TIMEOUT_MS = 60_000;
/** Parts of one member that are being read at the same time: what is in memory for them stays small. */
const MAX_CONCURRENT_PARTS = 4;
const activeReads = new Semaphore(Infinity, MAX_CONCURRENT_PARTS);

interface Context {
  readonly params: Promise<{ id: string; number: string }>;
}

export function PUT(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    const { id: given, number: digits } = await params;
    const id = given.toLowerCase();
    const number = /^\d{1,4}$/.test(digits) ? Number(digits) : -1;
    const identity = await readSessionCookies();
    const { upload, memberId } = await readSql((sql) => {
      const member = requireViewer(sql, identity, { role: "member" });
      return { upload: getUpload(sql, { id, member }), memberId: member.id };
    });
    const maxBytes = expectedPartLength(upload, number);
    const announced = request.headers.get("content-length");
    if (announced !== null && Number(announced) < maxBytes)
      assertPartLength(upload, number, Number(announced));
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
    await writeAuthorized(identity, { role: "member" }, (sql, member) =>
      putPart(sql, { id, member, number, bytes }),
    );
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  });
}
