// GET /me/data: streams all data of the logged-in member as a JSON file.
// Backpressure bounds memory: a chunk is read when the client is ready for it, and few exports run at the same time.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { formatIsoDate } from "#lib/core/format.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { streamWithIdleTimeout } from "#lib/http/stream-with-idle-timeout.ts";
import { exportAccount } from "#lib/members/export-account.ts";
import { acquireExportSlot } from "#lib/members/limiters.ts";
import { requireMember } from "#lib/members/viewer.ts";

/** Enough for 200 MB at 3 Mbit/s. Without it, two slow readers would keep all others waiting. */
const MAX_DURATION_MS = 10 * MINUTE_MS;

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { id } = await requireMember();
    const releaseSlot = acquireExportSlot(id);
    try {
      return await streamExport(id, releaseSlot);
    } catch (error) {
      releaseSlot();
      throw error;
    }
  });
}

async function streamExport(userId: string, releaseSlot: () => void): Promise<Response> {
  const chunks = exportAccount(userId);
  // Read before the response starts, because later errors can't be reported.
  const first = await chunks.next();
  let pending = first.done ? null : first.value;
  const encoder = new TextEncoder();
  const connection = currentRequestContext()?.response;
  const body = streamWithIdleTimeout({
    async nextChunk() {
      const text = pending ?? (await chunks.next()).value;
      pending = null;
      return text === undefined ? null : encoder.encode(text);
    },
    onEnd() {
      releaseSlot();
      void chunks.return(undefined);
    },
    maxDurationMs: MAX_DURATION_MS,
    onTimeout: () => void connection?.destroy(),
  });
  return new Response(body, {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "content-disposition": `attachment; filename="my-data-${formatIsoDate(nowMs())}.json"`,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
