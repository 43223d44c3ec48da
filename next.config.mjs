// Configures Next. Plain JavaScript: a .ts file would load a compiler (25 MB).

import { createHash } from "node:crypto";
import { COOKIE_NAMES } from "./lib/core/cookie-names.ts";
import { RENDER_HEADER } from "./lib/core/render-request.ts";
import { SECURITY_HEADERS, permissionsPolicy } from "./lib/core/security-headers.ts";

// Requests without the site's cookies get the shared static page, chosen by Next's router
// (docs/decisions/004-shared-pages.md).
// The router's requests for data get the dynamic page. Next would remove their header before rendering
// a static one, which would then refer to a document's text (components/ui/static-html-registry.ts).
// So do the page cache's, because Next answers concurrent requests for a static page with one
// rendering, and only the page cache's has marks around its personal parts.
const isShared = [
  ...COOKIE_NAMES.map((key) => ({ type: "cookie", key })),
  { type: "header", key: "rsc" },
  { type: "header", key: RENDER_HEADER },
];

// Set by scripts/cli.mjs, which makes the copies in public/_br after the build.
const precompressed = process.env.PRECOMPRESSED === "on";
const takesBrotli = [{ type: "header", key: "accept-encoding", value: "(.*)\\bbr\\b(.*)" }];

/** @type {import("next").NextConfig} */
const config = {
  // What the image runs (scripts/build-app-image.ts).
  output: "standalone",
  outputFileTracingExcludes: {
    "/**": ["./.data/**", "./docs/**", "./tests/**", "./e2e/**", "./bench/**", "**/*.test.ts"],
  },
  poweredByHeader: false,
  reactStrictMode: true,
  // app/%5Fimg makes the sizes: Next's endpoint for that would be open to denial of service.
  images: { unoptimized: true },
  // `npm run check` finds type errors.
  typescript: { ignoreBuildErrors: true },
  serverExternalPackages: [
    "better-sqlite3",
    "@prisma/client",
    "@prisma/adapter-better-sqlite3",
    "@epic-web/cachified",
    "lru-cache",
    "undici",
    "sharp",
    "next-mdx-remote",
    "shiki",
    "iron-session",
    "@opentelemetry/api",
    "@opentelemetry/context-async-hooks",
    "@opentelemetry/exporter-logs-otlp-http",
    "@opentelemetry/exporter-trace-otlp-http",
    "@opentelemetry/resources",
    "@opentelemetry/sdk-logs",
    "@opentelemetry/sdk-trace",
  ],
  experimental: {
    // The limit of bodies that the middleware buffers: a server action's (1 MB).
    proxyClientMaxBodySize: "1100kb",
    // As pages are.
    caseSensitiveRoutes: true,
    // A route is loaded at its first request: the start is 0.3 s faster and takes 20 MB less.
    preloadEntriesOnStart: false,
    // Nothing uses those of a production build, and the image omits them.
    turbopackSourceMaps: process.env.NODE_ENV === "development",
    // A clean clone has nothing to reuse.
    turbopackFileSystemCacheForBuild: !process.env.CI,
  },
  cacheHandler: `${import.meta.dirname}/lib/cache/next-cache-handler.ts`,
  cacheMaxMemorySize: 0,
  pageExtensions: ["tsx", "ts"],
  // This folder is the project, whatever lockfiles are above it.
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
  deploymentId: process.env.DEPLOYMENT_ID || undefined,
  generateBuildId: async () =>
    process.env.DEPLOYMENT_ID ||
    createHash("sha256").update(String(Date.now())).digest("hex").slice(0, 16),
  async rewrites() {
    return {
      beforeFiles: [
        ...(precompressed
          ? [
              {
                source: "/_next/static/:path(.*\\.(?:js|css))",
                has: takesBrotli,
                destination: "/_br/:path",
              },
            ]
          : []),
        // Requested by browsers for documents without an icon.
        { source: "/favicon.ico", destination: "/icon/icon.svg" },
        { source: "/icon.svg", destination: "/icon/icon.svg" },
        { source: "/icon-:size.png", destination: "/icon/:size.png" },
        { source: "/apple-touch-icon.png", destination: "/icon/180.png" },
        { source: "/", missing: isShared, destination: "/static/home" },
      ],
      // Not in beforeFiles, which Next matches in any case: /BLOG/slug would be a page without
      // cookies, and 404 with them.
      afterFiles: [
        {
          source: "/blog/:slug([^/]+)",
          has: [{ type: "header", key: "accept", value: "(.*)text/markdown(.*)" }],
          destination: "/blog/:slug/markdown",
        },
        {
          source: "/blog/:slug([^/]+)",
          missing: isShared,
          destination: "/static/blog/:slug",
        },
      ],
      fallback: [],
    };
  },
  async headers() {
    return [
      {
        source: "/:path*",
        headers: Object.entries(SECURITY_HEADERS).map(([key, value]) => ({ key, value })),
      },
      ...(precompressed
        ? [
            {
              source: "/_next/static/:path(.*\\.(?:js|css))",
              has: takesBrotli,
              headers: [
                { key: "Content-Encoding", value: "br" },
                { key: "Cache-Control", value: "public, max-age=31536000, immutable" },
                { key: "Vary", value: "Accept-Encoding" },
              ],
            },
          ]
        : []),
      // Pages that record audio.
      ...["/calls/record", "/admin/calls/:path*"].map((source) => ({
        source,
        headers: [{ key: "Permissions-Policy", value: permissionsPolicy("self") }],
      })),
      // Players and feed readers on other sites fetch these from the browser (CORS).
      ...[
        "/feed.xml",
        "/atom.xml",
        "/feed.json",
        "/calls/feed.xml",
        "/calls/audio/:path*",
        "/podcast/:path*",
      ].map((source) => ({
        source,
        headers: [{ key: "Access-Control-Allow-Origin", value: "*" }],
      })),
      // Foreign content must not run as a page of this site (XSS). Set here, since the policy above
      // overrides a handler's.
      ...[
        "/content-file/:path*",
        "/_img/:path*",
        "/embed-image/:path*",
        "/calls/audio/:path*",
        "/calls/recording/:path*",
        "/admin/calls/:id/answer",
      ].map((source) => ({
        source,
        headers: [
          {
            key: "Content-Security-Policy",
            value: "default-src 'none'; style-src 'unsafe-inline'; sandbox",
          },
        ],
      })),
      ...["/", "/blog/:path*", "/calls", "/teams", "/about"].map((source) => ({
        source,
        headers: [{ key: "Speculation-Rules", value: '"/speculation-rules"' }],
      })),
      // Next would let shared caches keep a static page for a year, but these URLs also have a personal page.
      { source: "/", headers: [{ key: "Cache-Control", value: "private, no-cache" }] },
      {
        source: "/blog/:slug([^/]+)",
        headers: [{ key: "Cache-Control", value: "private, no-cache" }],
      },
    ];
  },
};

export default config;
