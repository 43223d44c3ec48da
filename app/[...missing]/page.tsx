// Every address that leads nowhere: a 404 with three posts to go on with.

import type { Metadata } from "next";
import { connection } from "next/server";
import { setNotFoundStatus, NotFoundPage } from "../not-found-page.tsx";
import { readSessionCookies } from "#lib/members/session/session.ts";

export const metadata: Metadata = { title: "Not found", robots: { index: false } };

export default async function MissingPage() {
  await connection();
  setNotFoundStatus();
  return <NotFoundPage identity={await readSessionCookies()} />;
}
