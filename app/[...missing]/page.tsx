// Renders unknown URLs as a 404 with recommended posts.

import type { Metadata } from "next";
import { connection } from "next/server";
import { setNotFoundStatus, NotFoundPage } from "../not-found-page.tsx";
import { readSessionCookies } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Not found", robots: { index: false } };

export default async function MissingPage() {
  await connection();
  setNotFoundStatus();
  return <NotFoundPage sessionIds={await readSessionCookies()} />;
}
