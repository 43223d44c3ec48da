// PUT /calls/upload/ID/N: one part. Its size is known before it is read, and nothing more is read.

import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer, writeAuthorized } from "#lib/members/write-authorized.ts";
import { AppError } from "#lib/core/errors.ts";
import { readBody } from "#lib/http/read-body.ts";
import { assertPartLength, getUpload, expectedPartLength, putPart } from "#lib/calls/upload.ts";
import { readSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { readSessionCookies } from "#lib/members/session/session.ts";

export const dynamic = "force-dynamic";

/** A part over 70 kbit/s; a slower one is begun again and again in vain, but no longer than this. */
const PART_TIMEOUT_MS = 60_000;
/** Parts of one member that are being read at the same time: what is in memory for them stays small. */
const MAX_CONCURRENT_PARTS = 4;
const activeReads = new Map<string, number>();

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
      const member = requireViewer(sql, identity, "member");
      return { upload: getUpload(sql, { id, member }), memberId: member.id };
    });
    const maxBytes = expectedPartLength(upload, number);
    const announced = request.headers.get("content-length");
    if (announced !== null && Number(announced) < maxBytes)
      assertPartLength(upload, number, Number(announced));
    const bytes = await readWithPermit(memberId, () =>
      readBody(request, { maxBytes, timeoutMs: PART_TIMEOUT_MS }),
    );
    assertPartLength(upload, number, bytes.length);
    await writeAuthorized(identity, { who: "member" }, (sql, member) =>
      putPart(sql, { id, member, number, bytes }),
    );
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  });
}

async function readWithPermit<T>(memberId: string, read: () => Promise<T>): Promise<T> {
  const now = activeReads.get(memberId) ?? 0;
  if (now >= MAX_CONCURRENT_PARTS)
    throw new AppError(
      "rate_limited",
      `Send at most ${MAX_CONCURRENT_PARTS} parts at the same time.`,
      {
        retryAfterSeconds: 1,
      },
    );
  activeReads.set(memberId, now + 1);
  try {
    return await read();
  } finally {
    const left = (activeReads.get(memberId) ?? 1) - 1;
    if (left > 0) activeReads.set(memberId, left);
    else activeReads.delete(memberId);
  }
}
