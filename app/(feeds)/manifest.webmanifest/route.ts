// Serves the web app manifest, so that the site can be added to a home screen.

import { DEFAULT_ACCENT, PAPER } from "#lib/core/color.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { conditionalResponse, createCacheableBody } from "#lib/http/conditional-response.ts";

export const dynamic = "force-dynamic";

const MAX_AGE_SECONDS = 3_600;

export function GET(request: Request): Response | Promise<Response> {
  const manifest = {
    name: siteConfig.name,
    short_name: siteConfig.name,
    description: siteConfig.description,
    lang: siteConfig.language,
    start_url: "/",
    display: "minimal-ui",
    background_color: PAPER.light,
    theme_color: (siteConfig.accent ?? DEFAULT_ACCENT).light,
    icons: [192, 512].map((size) => ({
      src: `/icon-${size}.png`,
      sizes: `${size}x${size}`,
      type: "image/png",
      purpose: "any maskable",
    })),
  };
  return conditionalResponse(
    request,
    createCacheableBody(JSON.stringify(manifest)),
    "application/manifest+json",
    MAX_AGE_SECONDS,
  );
}
