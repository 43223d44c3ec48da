"use server";
// Creates and withdraws preview links.

import { refresh } from "next/cache";
import { z } from "zod";
import { postSlugField } from "#app/admin/post-slug-field.ts";
import { AppError } from "#lib/core/errors.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { canPreview } from "#lib/posts/admin-posts.ts";
import { PREVIEW_DAYS, createPreviewLink, withdrawPreviewLink } from "#lib/posts/preview-links.ts";
import { loadAdminPosts } from "./load-admin-posts.ts";

const daysField = z.coerce
  .number()
  .refine((days) => PREVIEW_DAYS.some((each) => each === days), "Choose how long the link works.")
  .transform((days) => days as (typeof PREVIEW_DAYS)[number]);

export const createPreview = defineServerAction({
  requiredRole: "admin",
  fields: z.object({ slug: postSlugField, days: daysField }),
  async run({ input, write }) {
    const post = (await loadAdminPosts()).find(({ slug }) => slug === input.slug);
    if (!post) throw new AppError("invalid", "This post doesn’t exist.", { field: "slug" });
    if (!canPreview(post))
      throw new AppError("conflict", "This post is published. Share its address.");
    await write((tx, admin) => createPreviewLink(tx, admin, input));
    refresh();
    return "Link created.";
  },
});

export const withdrawPreview = defineServerAction({
  requiredRole: "admin",
  fields: z.object({ id: z.string({ error: "The link is missing." }).min(1).max(100) }),
  async run({ input: { id }, write }) {
    await write((tx, admin) => withdrawPreviewLink(tx, admin, id));
    refresh();
    return "Withdrawn. The link no longer works.";
  },
});
