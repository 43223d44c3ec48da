// The home page for everybody without a cookie: rendered once for all of them, at the first request, and again after a minute.
// A parameter in the address keeps it out of the build, when there is no database. next.config.mjs sends such requests here.

import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { feedAlternates } from "#lib/posts/feeds/feed-alternates.ts";
import { renderHome } from "#app/render-home.tsx";

export const dynamic = "force-static";
export const revalidate = 60;
export const metadata: Metadata = { alternates: { canonical: "/", types: feedAlternates } };

/** None at build. */
export function generateStaticParams() {
  return [];
}

export default async function StaticHomePage({ params }: { params: Promise<{ page: string }> }) {
  if ((await params).page !== "home") notFound();
  return renderHome({ sessionKey: null, clientId: null });
}
