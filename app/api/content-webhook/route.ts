// A Git host tells that somebody pushed: the pushed commit becomes the live version.

import { lookAtLiveVersion } from "../../_site/site.ts";
import { env } from "#lib/base/env.ts";
import { isAppError, statusFor } from "#lib/base/errors.ts";
import { log } from "#lib/base/log.ts";
import { readBody } from "#lib/base/read-body.ts";
import { setLiveVersion } from "#lib/content/live-version.ts";
import { MAX_WEBHOOK_BYTES, judgeWebhook } from "#lib/content/webhook.ts";
import { writeSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";

export const dynamic = "force-dynamic";

function answer(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ message }, { status, headers: { "Cache-Control": "no-store", ...headers } });
}

export async function POST(request: Request): Promise<Response> {
  const secret = env.CONTENT_WEBHOOK_SECRET;
  const repository = env.CONTENT_GIT_REPOSITORY;
  // Who may not know that there is a door sees no door.
  if (!secret || env.CONTENT_SOURCE !== "git" || !repository) return answer(404, "Not found.");
  try {
    const verdict = judgeWebhook(request.headers, await readBody(request, { maxBytes: MAX_WEBHOOK_BYTES }), { secret, repository, branch: env.CONTENT_GIT_BRANCH });
    if (verdict.kind === "ping") return answer(200, "Pong.");
    if (verdict.kind === "ignored") return answer(202, verdict.reason);
    await ensurePrimary();
    const isNew = await writeSql((sql) => setLiveVersion(sql, verdict.version));
    log("info", "content.pushed", { version: verdict.version, isNew });
    // Not waited for: the host gives up after ten seconds, and compiling may take longer.
    void lookAtLiveVersion();
    return answer(200, isNew ? `${verdict.version} is live now.` : `${verdict.version} was live already.`);
  } catch (error) {
    // Only what is ours to answer: a replay to the primary must pass through.
    if (!isAppError(error)) throw error;
    log("warn", "content.webhook_refused", { code: error.code, reason: error.message });
    return answer(statusFor(error), error.message, error.retryAfterSeconds ? { "Retry-After": String(error.retryAfterSeconds) } : {});
  }
}
