// PUT /calls/upload/ID/N: one part. Its size is known before it is read, and nothing more is read.

import { answer } from "#lib/action/answer.ts";
import { memberOf, writeAs } from "#lib/action/write-as.ts";
import { AppError } from "#lib/base/errors.ts";
import { readBody } from "#lib/base/read-body.ts";
import { assertPartLength, getUpload, partLength, putPart } from "#lib/calls/upload.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";
import { readIdentity } from "#lib/session/session.ts";

export const dynamic = "force-dynamic";

/** A part over 70 kbit/s; a slower one is begun again and again in vain, but no longer than this. */
const PART_TIMEOUT_MS = 60_000;
/** Parts of one member that are being read at the same time: what is in memory for them stays small. */
const MAX_AT_ONCE = 4;
const reading = new Map<string, number>();

interface Context {
  readonly params: Promise<{ id: string; number: string }>;
}

export function PUT(request: Request, { params }: Context): Promise<Response> {
  return answer(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    const { id: given, number: digits } = await params;
    const id = given.toLowerCase();
    const number = /^\d{1,4}$/.test(digits) ? Number(digits) : -1;
    const identity = await readIdentity();
    const { upload, memberId } = await snapshotSql((sql) => {
      const member = memberOf(sql, identity, "member");
      return { upload: getUpload(sql, { id, member }), memberId: member.id };
    });
    const maxBytes = partLength(upload, number);
    const announced = request.headers.get("content-length");
    if (announced !== null && Number(announced) < maxBytes)
      assertPartLength(upload, number, Number(announced));
    const bytes = await readOneOfFew(memberId, () =>
      readBody(request, { maxBytes, timeoutMs: PART_TIMEOUT_MS }),
    );
    assertPartLength(upload, number, bytes.length);
    await writeAs(identity, { who: "member" }, (sql, member) =>
      putPart(sql, { id, member, number, bytes }),
    );
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  });
}

async function readOneOfFew<T>(memberId: string, read: () => Promise<T>): Promise<T> {
  const now = reading.get(memberId) ?? 0;
  if (now >= MAX_AT_ONCE)
    throw new AppError("rate_limited", `Send at most ${MAX_AT_ONCE} parts at the same time.`, {
      retryAfterSeconds: 1,
    });
  reading.set(memberId, now + 1);
  try {
    return await read();
  } finally {
    const left = (reading.get(memberId) ?? 1) - 1;
    if (left > 0) reading.set(memberId, left);
    else reading.delete(memberId);
  }
}
