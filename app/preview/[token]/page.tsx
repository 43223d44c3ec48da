// Renders /preview/TOKEN: a post that readers can't see yet, for anyone who has the link.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { renderNotFound } from "../../not-found-page.tsx";
import { renderPreview } from "../render-preview.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { read } from "#lib/db/database.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { findPostBySlug, findPostForPreview } from "#lib/posts/catalog/site-catalog.ts";
import { findPreview, verifyPreviewToken } from "#lib/posts/preview-links.ts";
import { retryOnPrimary } from "#lib/replication/read-your-writes.ts";

/** No title: the link may be wrong. Other sites don't learn the link from a Referer header. */
export const metadata: Metadata = {
  title: "Preview",
  robots: { index: false, follow: false },
  referrer: "no-referrer",
};

interface Props {
  readonly params: Promise<{ token: string }>;
}

export default async function PreviewPage({ params }: Props) {
  await connection();
  const { token } = await params;
  const preview = await read((tx) => findPreview(tx, token));
  if (!preview && verifyPreviewToken(token) !== null) retryOnPrimary();
  const post = preview && (await findPostForPreview(preview.slug));
  if (!post) return renderNotFound(await readSessionCookies());
  const published = await findPostBySlug(post.slug);
  if (published && !published.frontMatter.draft) redirect(postUrlPath(published));
  return renderPreview(
    post,
    <>
      <strong>Preview.</strong> Not published yet, so please don’t share it. The link works until{" "}
      <Timestamp ms={preview.expiresAtMs} />.
    </>,
  );
}
