// Responds with 503 while this instance has no content, because it could not reach the source since
// it started.

import { peekSingleton, resetSingleton, singleton } from "#lib/core/singleton.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import type { Replacement } from "./site-response.ts";

export interface ContentOutage {
  /** A sentence that is safe to show to the public. */
  readonly reason: string;
  readonly retryAfterSeconds: number;
}

type FindOutage = () => ContentOutage | null;

/** Sets the function that tells whether content is missing. The catalog calls it. */
export function shareContentOutage(find: FindOutage): void {
  resetSingleton("content-outage");
  singleton("content-outage", () => find);
}

/** Returns why this instance has no content; null if it has. */
export function findContentOutage(): ContentOutage | null {
  return peekSingleton<FindOutage>("content-outage")?.() ?? null;
}

/**
 * Returns the response for a page or file that failed without content, or null. Next reports it as
 * 500.
 */
export function findOutageReplacement(
  { request, response }: PipelineContext,
  status: number,
): Replacement | null {
  const outage = status === 500 ? findContentOutage() : null;
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
