// Responds with 503 instead of 500 while this instance has no content, because it has not reached
// the source since it started.

import { peekSingleton, resetSingleton, singleton } from "#lib/core/singleton.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import type { Replacement } from "./site-response.ts";

export interface ContentOutage {
  /** A sentence that is safe to show to the public. */
  readonly reason: string;
  readonly retryAfterSeconds: number;
}

type FindOutage = () => ContentOutage | null;

/** Sets the function that findContentOutage() calls. The catalog calls this at startup. */
export function shareContentOutage(find: FindOutage): void {
  resetSingleton("content-outage");
  singleton("content-outage", () => find);
}

/** Returns why this instance has no content; null if it has content. */
export function findContentOutage(): ContentOutage | null {
  return peekSingleton<FindOutage>("content-outage")?.() ?? null;
}

/**
 * While there is no content, returns a 503 response to replace a 500, or the 404 of an unknown path,
 * and sets Retry-After. Otherwise returns null.
 */
export function findOutageReplacement(
  { request, requestedRoute, response }: PipelineContext,
  status: number,
): Replacement | null {
  // Any unknown path may be the address of a post, or be redirected.
  const isAffected = status === 500 || (status === 404 && requestedRoute.kind === "other");
  const outage = isAffected ? findContentOutage() : null;
  if (!outage) return null;
  response.setHeader("retry-after", String(outage.retryAfterSeconds));
  const isPage = request.headers.accept?.includes("text/html") ?? false;
  return {
    status: 503,
    contentType: isPage ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
    renderBody: () => (isPage ? PAGE : "The posts aren’t available yet. Try again in a moment.\n"),
  };
}

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>Not available yet</title></head>
<body>
<main>
<h1>The posts aren’t available yet.</h1>
<p>Please try again in a moment.</p>
</main>
</body>
</html>
`;
