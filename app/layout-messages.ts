// Finds the language of the page layout (header, footer): the language of the post on a post page, else English.

import { currentRequestContext } from "#lib/core/request-context.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { type Messages, en } from "#lib/core/messages/en.ts";
import { findMessages } from "#lib/core/messages/find-messages.ts";
import { slugFromParam, slugOfRoute } from "#lib/posts/addresses/post-address.ts";
import { findPostBySlug } from "#lib/posts/catalog/site-catalog.ts";
import type { Post } from "#lib/posts/post.ts";
import { postLanguage } from "#lib/posts/translations.ts";

/** Returns the layout strings for a post: in its language, or else in English. */
export const postMessages = (post: Post): Messages => findMessages(postLanguage(post)) ?? en;

/** Returns the layout strings for the page that is being rendered, and their BCP 47 tag. */
export async function findLayoutMessages(): Promise<{ lang: string; messages: Messages }> {
  const path = currentRequestContext()?.request.url?.split("?")[0] ?? "";
  const slug = slugOfRoute(path);
  const post = slug === null ? null : await findPost(slugFromParam(slug));
  const messages = post && findMessages(postLanguage(post));
  return messages
    ? { lang: postLanguage(post), messages }
    : { lang: siteConfig.language, messages: en };
}

/** Returns null on errors: the page itself reports them. */
async function findPost(slug: string): Promise<Post | null> {
  try {
    return await findPostBySlug(slug);
    // oxlint-disable-next-line lectern/no-swallowed-replay -- reads files only
  } catch {
    return null;
  }
}
