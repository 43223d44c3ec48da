// The home page for a reader who brings a cookie: rendered for them.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedTypes } from "./feed-types.ts";
import { loadHome } from "./home.tsx";
import { readIdentity } from "#lib/session/session.ts";

export const metadata: Metadata = { alternates: { canonical: "/", types: feedTypes } };

export default async function HomePage() {
  await connection();
  return loadHome(await readIdentity());
}
