// Finds what an issue sends: the current post until sending starts, then the stored content.

import { AppError } from "#lib/core/errors.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { findPostBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { type IssueContent, renderPostForEmail } from "./issue-email.ts";

async function findStoredContent(tx: Tx, admin: Member, id: number) {
  assertAdmin(admin);
  const issue = await tx.newsletterIssue.findUnique({
    where: { id },
    select: { postSlug: true, subject: true, intro: true, html: true, text: true },
  });
  if (!issue) throw new AppError("not_found", "This issue doesn’t exist.");
  return issue;
}

/**
 * Returns the content of an issue. Throws AppError(forbidden), AppError(not_found), and
 * AppError(conflict) if its post is not published.
 */
export async function getIssueContent(admin: Member, id: number): Promise<IssueContent> {
  const { postSlug, html, text, ...rest } = await read((tx) => findStoredContent(tx, admin, id));
  if (html !== null && text !== null) return { ...rest, html, text };
  const post = await findPostBySlug(postSlug);
  if (!post) throw new AppError("conflict", "The post is not published yet.");
  return { ...rest, ...renderPostForEmail(post) };
}
