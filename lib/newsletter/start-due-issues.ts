// Starts scheduled issues: fixes their content and their recipients.

import { nowMs } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { findPostBySlug } from "#lib/posts/catalog/site-catalog.ts";
import type { Post } from "#lib/posts/post.ts";
import { topicKeysOf } from "#lib/posts/topics.ts";
import { renderPostForEmail } from "./issue-email.ts";
import { insertRecipients } from "./start-issue.sql.ts";

const listDue = (tx: Tx) =>
  tx.newsletterIssue.findMany({
    where: { state: "SCHEDULED", sendAt: { lte: new Date(nowMs()) } },
    select: { id: true, postSlug: true, problem: true },
    orderBy: { id: "asc" },
  });

/** Starts every due issue. If its post is not published yet, it waits, and its `problem` says so. */
export async function startDueIssues(): Promise<void> {
  for (const { id, postSlug, problem } of await read(listDue)) {
    const result = await findPublishedPost(postSlug);
    if (typeof result !== "string") await startIssue(id, result);
    else if (result !== problem)
      await write((tx) =>
        tx.newsletterIssue.updateMany({
          where: { id, state: "SCHEDULED" },
          data: { problem: result },
        }),
      );
  }
}

/** Returns the post, or why it can't be sent. */
async function findPublishedPost(slug: string): Promise<Post | string> {
  try {
    const post = await findPostBySlug(slug);
    if (!post) return "The post is not published yet.";
    if (post.frontMatter.draft) return "The post is a draft.";
    return post;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.message;
  }
}

/** Does nothing if the issue was canceled in the meantime. */
export async function startIssue(id: number, post: Post): Promise<void> {
  const content = renderPostForEmail(post);
  const topics = [...topicKeysOf(post)];
  const recipientCount = await write(
    async (tx) => {
      const now = nowMs();
      const { count } = await tx.newsletterIssue.updateMany({
        where: { id, state: "SCHEDULED" },
        data: { ...content, state: "SENDING", startedAt: new Date(now), problem: null },
      });
      if (count === 0) return null;
      const inserted = insertRecipients(tx, { issueId: id, topics, nowMs: now });
      await tx.newsletterIssue.update({
        where: { id },
        data: { recipientCount: inserted },
        select: { id: true },
      });
      return inserted;
    },
    { isDurable: true },
  );
  if (recipientCount !== null) log("info", "newsletter.started", { issue: id, recipientCount });
}
