// Serves the site's icon: /icon.svg, /icon-192.png, /icon-512.png, /icon-1500.png,
// /apple-touch-icon.png and /favicon.ico, which next.config.mjs rewrites to here.

import { singleton } from "#lib/core/singleton.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import {
  type CacheableBody,
  conditionalResponse,
  createCacheableBody,
} from "#lib/http/conditional-response.ts";
import { siteIconPng, siteIconSvg } from "./draw-icon.ts";

const MAX_AGE_SECONDS = 3_600;
const PNG_SIZES: Readonly<Record<string, number>> = {
  "180.png": 180,
  "192.png": 192,
  "512.png": 512,
  // The default cover of the podcast; podcast apps require 1400 to 3000 pixels.
  "1500.png": 1_500,
};

const icons = singleton("site-icons", () => new Map<string, CacheableBody>());

async function draw(file: string): Promise<CacheableBody> {
  const size = PNG_SIZES[file];
  return createCacheableBody(
    size === undefined
      ? siteIconSvg(siteConfig)
      : new Uint8Array(await siteIconPng(siteConfig, size)),
  );
}

export async function GET(
  request: Request,
  { params }: { params: Promise<{ file: string }> },
): Promise<Response> {
  const { file } = await params;
  const isSvg = file === "icon.svg";
  if (!isSvg && !Object.hasOwn(PNG_SIZES, file))
    return new Response("Icon not found.\n", { status: 404 });
  let icon = icons.get(file);
  if (!icon) icons.set(file, (icon = await draw(file)));
  return conditionalResponse(
    request,
    icon,
    isSvg ? "image/svg+xml" : "image/png",
    MAX_AGE_SECONDS,
    // Web players of podcasts read the cover.
    { "access-control-allow-origin": "*" },
  );
}
