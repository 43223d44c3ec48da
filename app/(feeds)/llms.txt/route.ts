// Serves llms.txt.

import { createFeedHandler } from "#app/(feeds)/feed-handler.ts";
import { renderLlmsTxt } from "#lib/posts/llms-txt.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

export const dynamic = "force-dynamic";

export const GET = createFeedHandler("text/plain; charset=utf-8", (index) =>
  renderLlmsTxt(index, getSiteMetadata()),
);
