// The home page for a reader who brings a cookie: rendered for them.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedAlternates } from "#lib/posts/feeds/feed-alternates.ts";
import { renderHome } from "./render-home.tsx";
import { readSessionCookies } from "#lib/members/session/session.ts";

export const metadata: Metadata = { alternates: { canonical: "/", types: feedAlternates } };

export default async function HomePage() {
  await connection();
  return renderHome(await readSessionCookies());
}
