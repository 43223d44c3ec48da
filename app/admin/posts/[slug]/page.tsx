// Renders /admin/posts/SLUG: what is known about a post, and what an admin can do with it.

import { Fragment } from "react";
import { renderNotFound } from "../../../not-found-page.tsx";
import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import { adminPostPath, loadAdminPosts } from "../load-admin-posts.ts";
import { PreviewLinks } from "./preview-links.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { PostStateLabel } from "#components/admin/post-table.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { buildHref } from "#lib/http/search-params.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { postUrlPath, slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { type AdminPost, canPreview, getAdminPost } from "#lib/posts/admin-posts.ts";
import { listPreviewLinks } from "#lib/posts/preview-links.ts";
import { fillPostUrl } from "#lib/posts/site-metadata.ts";
import { countPostReads } from "#lib/reading/read-totals.ts";

interface Props {
  readonly params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  const slug = slugFromParam((await params).slug);
  return adminMetadata(async () => getAdminPost(await loadAdminPosts(), slug).title);
}

export default async function PostAdminPage({ params }: Props) {
  const slug = slugFromParam((await params).slug);
  const { admin, notFoundPage } = await requireAdminPage(adminPostPath(slug));
  if (!admin) return notFoundPage;
  const post = (await loadAdminPosts()).find((each) => each.slug === slug);
  if (!post) return renderNotFound(await readSessionCookies());
  const { reads, links } = await read(async (tx) => ({
    reads: await countPostReads(tx, slug),
    links: await listPreviewLinks(tx, admin, slug),
  }));
  return (
    <AdminLayout current="posts" title={post.title}>
      <section className="desk-section" aria-labelledby="facts">
        <h2 id="facts">Overview</h2>
        <Facts post={post} reads={reads} />
        {post.post && <Actions post={post} slug={slug} />}
      </section>
      {canPreview(post) && <PreviewLinks slug={slug} links={links} isHidden={post.isHidden} />}
    </AdminLayout>
  );
}

function Facts({ post, reads }: { post: AdminPost; reads: number }) {
  const dates = [
    [post.state === "scheduled" ? "Goes live" : "Date", post.publishedMs],
    ["Last change", post.changedMs],
  ] as const;
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        <PostStateLabel post={post} />
      </dd>
      {post.post && (
        <>
          <dt>Address</dt>
          <dd className="key">{postUrlPath(post.post)}</dd>
        </>
      )}
      <dt>File</dt>
      <dd className="key">{post.path}</dd>
      {dates.map(
        ([name, ms]) =>
          ms !== null && (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>
                <Timestamp ms={ms} /> UTC
              </dd>
            </Fragment>
          ),
      )}
      <dt>Reads</dt>
      <dd className="figures">
        <a href={buildHref("/admin/reads", { slug: post.slug })}>{reads.toLocaleString("en-US")}</a>
      </dd>
    </dl>
  );
}

function Actions({ post, slug }: { post: AdminPost; slug: string }) {
  const editUrl = post.post && fillPostUrl(siteConfig.editUrl, post.post);
  const canSend =
    siteConfig.features.newsletter &&
    newsletterChannel() === "site" &&
    post.post?.frontMatter.draft === false;
  return (
    <p className="form-actions">
      <a className="button" href={`${adminPostPath(slug)}/view`}>
        View as reader
      </a>
      {editUrl && (
        <a className="button" href={editUrl}>
          Edit
        </a>
      )}
      {canSend && (
        <a className="button" href={`/admin/newsletter?post=${encodeURIComponent(slug)}`}>
          Send to subscribers
        </a>
      )}
    </p>
  );
}
