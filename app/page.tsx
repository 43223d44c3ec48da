// The home page for a reader who brings a cookie: rendered for them.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedAlternates } from "./feed-types.ts";
import { renderHome } from "./home.tsx";
import { readSessionCookies } from "#lib/session/session.ts";

export const metadata: Metadata = { alternates: { canonical: "/", types: feedAlternates } };

export default async function HomePage() {
  await connection();
  return renderHome(await readSessionCookies());
}
