// Renders the home page per request, for requests with a cookie.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { renderHome } from "./render-home.tsx";
import { readPreviousVisit } from "#lib/members/last-visit.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

export const metadata: Metadata = { alternates: { canonical: "/", types: feedAlternates } };

export default async function HomePage() {
  await connection();
  return renderHome(await readSessionCookies(), await readPreviousVisit());
}
