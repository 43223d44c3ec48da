// GET /me/data: all data of the member who asks, as a file. Reads only; in pieces as they are taken, and for few at a time, so that
// no recording waits in memory for somebody who doesn't read.

import { withErrorResponse } from "#lib/http/error-response.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { streamWithIdleTimeout } from "#lib/http/stream-with-idle-timeout.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { exportAccount } from "#lib/members/export-account.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { requireMember } from "#lib/members/session/session.ts";

// Where it is read, not where writes land: on each replica its own.
const shared = globalThis as {
  __lecternExports?: { readonly limit: RateLimiter; readonly slots: Semaphore };
};

const REFUSAL_MESSAGES = {
  own: "Your data is on its way already. Wait until that download has ended, or give it up and try again in a minute.",
  all: "Other members download their data just now. Try again in a minute.",
  retryAfterSeconds: 60,
};

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { id } = await requireMember();
    const { limit, slots } = (shared.__lecternExports ??= {
      limit: new RateLimiter(20, HOUR_MS),
      slots: new Semaphore(2, 1),
    });
    const free = slots.acquire(id, REFUSAL_MESSAGES);
    try {
      consume(
        [[limit, id]],
        nowMs(),
        "You downloaded your data many times just now. Try again in an hour.",
      );
      return await streamExport(id, free);
    } catch (error) {
      free();
      throw error;
    }
  });
}

async function streamExport(id: string, free: () => void): Promise<Response> {
  const pieces = exportAccount(id);
  // Before the answer begins: from here on a refusal could not be told any more.
  const first = await pieces.next();
  let waiting = first.done ? null : first.value;
  const encoder = new TextEncoder();
  const connection = currentRequestContext()?.response;
  const body = streamWithIdleTimeout({
    async nextChunk() {
      const text = waiting ?? (await pieces.next()).value;
      waiting = null;
      return text === undefined ? null : encoder.encode(text);
    },
    onEnd() {
      free();
      void pieces.return(undefined);
    },
    onIdleTimeout: () => void connection?.destroy(),
  });
  return new Response(body, {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "content-disposition": `attachment; filename="my-data-${new Date(nowMs()).toISOString().slice(0, 10)}.json"`,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
