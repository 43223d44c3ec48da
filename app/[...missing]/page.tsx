// Renders content/pages/SLUG at /SLUG, and every other unknown URL as a 404 with recommended posts.

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderTextPage, textPageMetadata } from "#app/(text)/render-text-page.tsx";
import { log } from "#lib/core/log.ts";
import { findPageBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { renderNotFound } from "../not-found-page.tsx";

interface Props {
  params: Promise<{ missing: string[] }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await connection();
  const slug = await findPageSlug((await params).missing);
  return slug === null ? { title: "Not found", robots: { index: false } } : textPageMetadata(slug);
}

export default async function MissingPage({ params }: Props) {
  await connection();
  const slug = await findPageSlug((await params).missing);
  if (slug !== null) return renderTextPage(slug);
  return renderNotFound(await readSessionCookies());
}

/** Returns the slug of the text page at these segments, or null. */
async function findPageSlug([segment, ...rest]: string[]): Promise<string | null> {
  if (segment === undefined || rest.length > 0) return null;
  try {
    const slug = decodeURIComponent(segment).normalize("NFC");
    return (await findPageBySlug(slug)) ? slug : null;
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only reads
  } catch (error) {
    // The 404 page must always work.
    log("warn", "pages.no_text_page", { error });
    return null;
  }
}
