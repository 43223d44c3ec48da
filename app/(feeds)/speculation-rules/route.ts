// Serves the speculation rules: browsers that support them prefetch a page as soon as a reader hovers
// over or presses its link. next.config.mjs names this address in a header of the pages.

import { conditionalResponse, createCacheableBody } from "#lib/http/conditional-response.ts";

export const dynamic = "force-dynamic";

const MAX_AGE_SECONDS = 86_400;
/** Pages to read. Not account pages, files, or addresses with a query, of which there are many. */
const PREFETCHED = ["/", "/blog", "/blog/*", "/calls", "/calls/*", "/teams", "/about"];
const EXCLUDED = ["/calls/record", "/calls/mine", "/*.*", "/*\\?(.+)"];

const rules = {
  prefetch: [
    {
      where: {
        and: [
          { href_matches: PREFETCHED },
          { not: { href_matches: EXCLUDED } },
          { not: { selector_matches: "[download], [target=_blank]" } },
        ],
      },
      eagerness: "moderate",
    },
  ],
};

export const GET = (request: Request): Response =>
  conditionalResponse(
    request,
    createCacheableBody(JSON.stringify(rules)),
    "application/speculationrules+json",
    MAX_AGE_SECONDS,
  );
