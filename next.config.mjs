// Plain JavaScript, so that the running site need not load the compiler that would turn it into such (25 MB).

import { createHash } from "node:crypto";
import { COOKIE_NAMES } from "./lib/core/cookie-names.ts";

// A request that carries none of our cookies gets the page that is the same for everybody. Decided by the router,
// before any code of ours runs: a static page's speed. See docs/decisions/004-shared-pages.md.
const withoutCookies = COOKIE_NAMES.map((key) => ({ type: "cookie", key }));

const permissions = (microphone) =>
  `camera=(), microphone=(${microphone}), geolocation=(), browsing-topics=()`;

const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "Referrer-Policy", value: "strict-origin-when-cross-origin" },
  { key: "Permissions-Policy", value: permissions("") },
  {
    key: "Content-Security-Policy",
    value:
      "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; frame-src https://www.youtube-nocookie.com https://codesandbox.io https://codepen.io",
  },
  { key: "Strict-Transport-Security", value: "max-age=63072000" },
];

// Set by the set-up, which makes the copies in public/_br right after the build. A bare `next build` does without.
const precompressed = process.env.PRECOMPRESSED === "on";
const takesBrotli = [{ type: "header", key: "accept-encoding", value: "(.*)\\bbr\\b(.*)" }];

/** @type {import("next").NextConfig} */
const config = {
  poweredByHeader: false,
  reactStrictMode: true,
  // Pictures are sized and encoded when the site is built: Next's own endpoint for that would only be work for strangers to ask for.
  images: { unoptimized: true },
  // Type and lint errors fail `npm run check`, which `npm test` runs; the build does not look a second time.
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
  ],
  // What Next copies of a body that comes through the middleware: an action's, and no more.
  experimental: { proxyClientMaxBodySize: "1100kb" },
  cacheHandler: `${import.meta.dirname}/lib/cache/page-cache.ts`,
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
        // Asked for by browsers where a document names no icon.
        { source: "/favicon.ico", destination: "/icon.svg" },
        { source: "/blog/:slug([^/]+)\\.md", destination: "/blog/:slug/markdown" },
        {
          source: "/blog/:slug([^/.]+)",
          has: [{ type: "header", key: "accept", value: "(.*)text/markdown(.*)" }],
          destination: "/blog/:slug/markdown",
        },
        {
          source: "/blog/:slug([^/.]+)",
          missing: withoutCookies,
          destination: "/static/blog/:slug",
        },
        { source: "/", missing: withoutCookies, destination: "/static/home" },
      ],
      afterFiles: [],
      fallback: [],
    };
  },
  async headers() {
    return [
      { source: "/:path*", headers: securityHeaders },
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
      // Where a voice is recorded: a member's call, an admin's answer.
      ...["/calls/record", "/admin/calls/:path*"].map((source) => ({
        source,
        headers: [{ key: "Permissions-Policy", value: permissions("self") }],
      })),
      // A picture's name carries its hash.
      {
        source: "/_img/:path*",
        headers: [{ key: "Cache-Control", value: "public, max-age=31536000, immutable" }],
      },
      // What somebody else made is never a document of ours. These stand here since a header of a handler gives way to the one above.
      ...[
        "/content-file/:path*",
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
      // Next lets a shared cache in front keep a static page for a year, and one address has a shared and a personal page.
      { source: "/", headers: [{ key: "Cache-Control", value: "private, no-cache" }] },
      {
        source: "/blog/:slug([^/.]+)",
        headers: [
          { key: "Cache-Control", value: "private, no-cache" },
          { key: "Vary", value: "Cookie, Accept" },
        ],
      },
    ];
  },
};

/**
 * One build for both: `next build` also writes what the image runs (.next/standalone: a copy, of some seconds), and `next start`
 * would warn at each start if it were told so too.
 */
export default function forPhase(phase) {
  return phase === "phase-production-build"
    ? {
        ...config,
        output: "standalone",
        outputFileTracingExcludes: {
          "/**": ["./docs/**", "./tests/**", "./e2e/**", "./bench/**", "**/*.test.ts"],
        },
      }
    : config;
}
