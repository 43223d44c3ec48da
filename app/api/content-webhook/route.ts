// A Git host tells that somebody pushed: the pushed commit becomes the live version.

import { refreshCatalog } from "../../_site/site.ts";
import { withErrorResponse } from "#lib/action/answer.ts";
import { env } from "#lib/base/env.ts";
import { isAppError } from "#lib/base/errors.ts";
import { log } from "#lib/base/log.ts";
import { readBody } from "#lib/base/read-body.ts";
import { setPublishedVersion } from "#lib/content/live-version.ts";
import { MAX_WEBHOOK_BYTES, verifyWebhook } from "#lib/content/webhook.ts";
import { writeSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";

export const dynamic = "force-dynamic";

function jsonMessage(status: number, message: string): Response {
  return Response.json({ message }, { status, headers: { "Cache-Control": "no-store" } });
}

export async function POST(request: Request): Promise<Response> {
  const secret = env.CONTENT_WEBHOOK_SECRET;
  const repository = env.CONTENT_GIT_REPOSITORY;
  // Who may not know that there is a door sees no door.
  if (!secret || env.CONTENT_SOURCE !== "git" || !repository) return jsonMessage(404, "Not found.");
  return withErrorResponse(request, async () => {
    const verdict = await verifyRequest(request, {
      secret,
      repository,
      branch: env.CONTENT_GIT_BRANCH,
    });
    if (verdict.kind === "ping") return jsonMessage(200, "Pong.");
    if (verdict.kind === "ignored") return jsonMessage(202, verdict.reason);
    await ensurePrimary();
    const isNew = await writeSql((sql) => setPublishedVersion(sql, verdict.version));
    log("info", "content.pushed", { version: verdict.version, isNew });
    // Not waited for: the host gives up after ten seconds, and compiling may take longer.
    void refreshCatalog();
    return jsonMessage(
      200,
      isNew ? `${verdict.version} is live now.` : `${verdict.version} was live already.`,
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
