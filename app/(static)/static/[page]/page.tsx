// Renders the home page for requests without a cookie, on the first request and again when older than a minute.
// The parameter keeps it out of the build. next.config.mjs rewrites requests to this URL.

import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { renderHome } from "#app/render-home.tsx";

export const dynamic = "force-static";
export const revalidate = 60;
export const metadata: Metadata = { alternates: { canonical: "/", types: feedAlternates } };

/** Renders no page during the build, which has no database. */
export function generateStaticParams() {
  return [];
}

export default async function StaticHomePage({ params }: { params: Promise<{ page: string }> }) {
  if ((await params).page !== "home") notFound();
  return renderHome({ sessionKey: null, clientId: null });
}
