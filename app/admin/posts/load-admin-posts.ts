// Loads the posts for the admin pages.

import { nowMs } from "#lib/core/clock.ts";
import { type AdminPost, listAdminPosts } from "#lib/posts/admin-posts.ts";
import { getCatalogStatus, listAllPosts } from "#lib/posts/catalog/site-catalog.ts";

/** The caller authorizes the viewer. */
export async function loadAdminPosts(): Promise<AdminPost[]> {
  const content = await listAllPosts();
  return listAdminPosts({ ...content, failures: getCatalogStatus().failures, nowMs: nowMs() });
}

export const adminPostPath = (slug: string): string => `/admin/posts/${encodeURIComponent(slug)}`;
