// Renders /admin/posts/SLUG/view: a post as a guest sees it, or will see it.

import { renderNotFound } from "../../../../not-found-page.tsx";
import { renderPreview } from "../../../../preview/render-preview.tsx";
import { adminMetadata, requireAdminPage } from "../../../require-admin-page.tsx";
import { adminPostPath } from "../../load-admin-posts.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { findPostForPreview } from "#lib/posts/catalog/site-catalog.ts";

interface Props {
  readonly params: Promise<{ slug: string }>;
}

export const generateMetadata = () => adminMetadata("View as reader");

export default async function ViewPage({ params }: Props) {
  const slug = slugFromParam((await params).slug);
  const path = adminPostPath(slug);
  const { admin, notFoundPage } = await requireAdminPage(`${path}/view`);
  if (!admin) return notFoundPage;
  const post = await findPostForPreview(slug);
  if (!post) return renderNotFound(await readSessionCookies());
  return renderPreview(
    post,
    <>
      <strong>As a guest sees it.</strong> Your read doesn’t count here.{" "}
      <a href={path}>Back to the post’s admin page</a>
    </>,
  );
}
