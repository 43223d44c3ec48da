"use server";
// Defines the server actions of the newsletter's admin pages.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { postSlugField } from "#app/admin/post-slug-field.ts";
import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { multiLineField, singleLineField } from "#lib/core/validate.ts";
import { read } from "#lib/db/database.ts";
import { setNotice } from "#lib/http/notice-cookie.ts";
import { assertSiteUrl } from "#lib/http/site-url.ts";
import { getConsentingMember } from "#lib/members/consent.ts";
import type { Admin } from "#lib/members/member.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { removeSubscriber } from "#lib/members/subscriber-list.ts";
import { getIssueContent } from "#lib/newsletter/issue-content.ts";
import { buildIssueEmail } from "#lib/newsletter/issue-email.ts";
import {
  cancelIssue,
  createIssue,
  deleteIssue,
  editIssue,
  resendIssue,
  scheduleIssue,
} from "#lib/newsletter/issues.ts";
import { triggerNewsletter } from "#lib/newsletter/poll-newsletter.ts";
import { sendEmail } from "#lib/outbound/mail/send-email.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { findPostBySlug, getCatalogStatus } from "#lib/posts/catalog/site-catalog.ts";

const UNKNOWN_ISSUE = { error: "This issue doesn’t exist." };
const issueId = z.coerce
  .number(UNKNOWN_ISSUE)
  .int(UNKNOWN_ISSUE)
  .min(1, UNKNOWN_ISSUE)
  .max(Number.MAX_SAFE_INTEGER, UNKNOWN_ISSUE);

async function findPostTitle(slug: string): Promise<string> {
  const post = await findPostBySlug(slug);
  const title =
    post?.frontMatter.title ??
    getCatalogStatus().scheduled.find((scheduled) => scheduled.slug === slug)?.title;
  if (title === undefined)
    throw new AppError("invalid", "This post doesn’t exist.", { field: "slug" });
  return title;
}

export const createIssueAction = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    slug: postSlugField,
  }),
  async run({ input: { slug }, write }) {
    const subject = await findPostTitle(slug);
    const id = await write((tx, admin) => createIssue(tx, admin, { postSlug: slug, subject }));
    redirect(`/admin/newsletter/${id}`);
  },
});

/** As browsers submit datetime-local, in UTC. Empty for now. */
const sendAtField = z
  .string()
  .default("")
  .refine((text) => text === "" || /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text), {
    error: "Enter a date and a time, such as 2027-01-31T09:00.",
  })
  .transform((text) => (text === "" ? null : new Date(`${text}Z`)))
  .refine((date) => date === null || (!Number.isNaN(date.getTime()) && date.getTime() > nowMs()), {
    error: "Choose a time in the future, or leave it empty to send in a minute.",
  });

async function sendTest(admin: Admin, id: number): Promise<string> {
  assertSiteUrl();
  const content = await getIssueContent(admin, id);
  const { email } = await read((tx) => getConsentingMember(tx, admin.id));
  const message = buildIssueEmail(content, { email, subscriberId: null });
  await sendEmail({ ...message, subject: `[Test] ${message.subject}` });
  return `Saved. Test sent to ${email}.`;
}

export const editIssueAction = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    id: issueId,
    subject: singleLineField({ label: "The subject", maxLength: 150 }),
    intro: multiLineField({ label: "The note", minLength: 0, maxLength: 2_000 }),
    sendAt: sendAtField,
    expectedVersion: z
      .string({ error: "Reload the page and try again." })
      .max(64, { error: "Reload the page and try again." }),
    intent: z.enum(["save", "test", "send"], { error: "Reload the page and try again." }),
  }),
  async run({ input: { intent, ...input }, member, write }) {
    const { id, sendAt } = input;
    await write(async (tx, admin) => {
      await editIssue(tx, admin, input);
      if (intent === "send") await scheduleIssue(tx, admin, { id, sendAt });
    });
    refresh();
    if (intent === "test") return sendTest(member, id);
    if (intent === "save") return "Saved.";
    redirect(`/admin/newsletter/${id}`);
  },
});

export const cancelIssueAction = defineServerAction({
  requiredRole: "admin",
  fields: z.object({ id: issueId }),
  async run({ input: { id }, write }) {
    await write((tx, admin) => cancelIssue(tx, admin, id));
    await setNotice("issue-canceled");
    redirect(`/admin/newsletter/${id}`);
  },
});

export const deleteIssueAction = defineServerAction({
  requiredRole: "admin",
  fields: z.object({ id: issueId }),
  async run({ input: { id }, write }) {
    await write((tx, admin) => deleteIssue(tx, admin, id));
    await setNotice("issue-deleted");
    redirect("/admin/newsletter");
  },
});

export const resendIssueAction = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    id: issueId,
    state: z.enum(["UNCERTAIN", "FAILED", "PENDING"], { error: "Reload the page and try again." }),
  }),
  async run({ input, write }) {
    await write((tx, admin) => resendIssue(tx, admin, input), { isDurable: true });
    triggerNewsletter();
    redirect(`/admin/newsletter/${input.id}`);
  },
});

export const removeSubscriberAction = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    id: z
      .string({ error: "This subscriber doesn’t exist." })
      .min(1, { error: "This subscriber doesn’t exist." })
      .max(100, { error: "This subscriber doesn’t exist." }),
  }),
  async run({ input: { id }, write }) {
    await write((tx, admin) => removeSubscriber(tx, admin, id), { isDurable: true });
    triggerDeliveries();
    refresh();
    return "Removed.";
  },
});
