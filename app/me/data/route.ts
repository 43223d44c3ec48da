// GET /me/data: all data of the member who asks, as a file. Reads only; in pieces, so that no recording waits in memory for another.

import { answer } from "#lib/action/answer.ts";
import { HOUR_MS, nowMs } from "#lib/base/clock.ts";
import { Limit, takeAll } from "#lib/base/limit.ts";
import { exportAccount } from "#lib/members/export.ts";
import { requireMember } from "#lib/session/session.ts";

// Where it is read, not where writes land: on each replica its own.
const shared = globalThis as { __lecternExports?: Limit };

export function GET(request: Request): Promise<Response> {
  return answer(request, async () => {
    const { id } = await requireMember();
    shared.__lecternExports ??= new Limit(20, HOUR_MS);
    takeAll([[shared.__lecternExports, id]], nowMs(), "You downloaded your data many times just now. Try again in an hour.");
    const pieces = exportAccount(id);
    // Before the answer begins: from here on a refusal could not be told any more.
    const first = await pieces.next();
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>(
      {
        start(stream) {
          if (!first.done) stream.enqueue(encoder.encode(first.value));
        },
        async pull(stream) {
          const { done, value } = await pieces.next();
          if (done) stream.close();
          else stream.enqueue(encoder.encode(value));
        },
        async cancel() {
          await pieces.return(undefined);
        },
      },
      { highWaterMark: 1 },
    );
    return new Response(body, {
      headers: {
        "content-type": "application/json; charset=utf-8",
        "content-disposition": `attachment; filename="my-data-${new Date(nowMs()).toISOString().slice(0, 10)}.json"`,
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
      },
    });
  });
}
