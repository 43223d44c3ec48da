// Serves search results as JSON, for the palette.

import type { SearchResponse } from "#components/search/search-result.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { loadSearchableSite, searchSite } from "#lib/search/search-site.ts";

export const dynamic = "force-dynamic";

const MAX_RESULTS = 8;

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const q = new URL(request.url).searchParams.get("q") ?? "";
    const { results, total, isApproximate } = await searchSite(await loadSearchableSite(), {
      q,
      pageSize: MAX_RESULTS,
    });
    return Response.json({ results, total, isApproximate } satisfies SearchResponse, {
      headers: { "cache-control": "no-store", "x-robots-tag": "noindex" },
    });
  });
}
