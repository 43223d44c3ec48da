// Receives push webhooks of a Git host, and publishes the pushed commit.

import { refreshCatalog } from "#lib/posts/catalog/site-catalog.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { runOutsideRequest } from "#lib/core/request-context.ts";
import { readBody } from "#lib/http/read-body.ts";
import { setPublishedVersion } from "#lib/posts/catalog/published-version.ts";
import { MAX_WEBHOOK_BYTES, verifyWebhook } from "#lib/posts/source/push-webhook.ts";
import { write } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

export const dynamic = "force-dynamic";

function jsonMessage(status: number, message: string): Response {
  return Response.json({ message }, { status, headers: { "Cache-Control": "no-store" } });
}

export async function POST(request: Request): Promise<Response> {
  const secrets = env.CONTENT_WEBHOOK_SECRET;
  const repository = env.CONTENT_GIT_REPOSITORY;
  // 404 unless configured.
  if (!secrets || env.CONTENT_SOURCE !== "git" || !repository)
    return jsonMessage(404, "Not found.");
  return withErrorResponse(request, async () => {
    const event = await verifyRequest(request, {
      secrets,
      repository,
      branch: env.CONTENT_GIT_BRANCH,
    });
    if (event.kind === "ping") return jsonMessage(200, "Pong.");
    if (event.kind === "ignored") return jsonMessage(202, event.reason);
    await ensurePrimary();
    const isNew = await write((tx) => setPublishedVersion(tx, event.version));
    log("info", "content.pushed", { version: event.version, isNew });
    // Not awaited: the host times out after ten seconds, and compiling may take longer.
    // Outside the request, because it may write after the response.
    void runOutsideRequest(() => refreshCatalog());
    return jsonMessage(
      200,
      isNew ? `Published ${event.version}.` : `${event.version} is already published.`,
    );
  });
}

async function verifyRequest(request: Request, expected: Parameters<typeof verifyWebhook>[2]) {
  try {
    return verifyWebhook(
      request.headers,
      await readBody(request, { maxBytes: MAX_WEBHOOK_BYTES }),
      expected,
    );
  } catch (error) {
    if (isAppError(error))
      log("warn", "content.webhook_refused", { code: error.code, reason: error.message });
    throw error;
  }
}
