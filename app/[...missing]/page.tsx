// Every address that leads nowhere: a 404 with three posts to go on with.

import type { Metadata } from "next";
import { connection } from "next/server";
import { answerNotFound, NotFoundPage } from "../not-found-page.tsx";
import { readIdentity } from "#lib/session/session.ts";

export const metadata: Metadata = { title: "Not found", robots: { index: false } };

export default async function MissingPage() {
  await connection();
  answerNotFound();
  return <NotFoundPage identity={await readIdentity()} />;
}
